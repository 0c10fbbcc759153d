// Numbers and names as the page of a training says them, and what it remembers of how it was looked at.

const NAMES = { loss_src: 'src', loss_dst: 'dst', mask_src: 'mask src', mask_dst: 'mask dst', identity_src: 'to src', identity_dst: 'to dst' };

export const whole = (n) => Math.round(n).toLocaleString('en');
export const nameOf = (key) => NAMES[key] ?? key.replaceAll('_', ' ');
export const short = (n) => (n == null ? '–' : Math.abs(n) >= 100 ? n.toFixed(0) : Math.abs(n) >= 1 ? n.toFixed(3) : n.toPrecision(3));
export const known = (values) => values.filter((v) => v != null && Number.isFinite(v));
export const lowest = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
export const highest = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);

/** 3725 -> 1 h 02 min */
export function span(seconds) {
  const s = Math.round(seconds), days = Math.floor(s / 86400), hours = Math.floor(s / 3600) % 24, minutes = Math.floor(s / 60) % 60;
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${String(minutes).padStart(2, '0')} min`;
  return minutes ? `${minutes} min ${s % 60} s` : `${s} s`;
}

/** How long ago, of unix seconds. */
export function ago(seconds) {
  const age = Date.now() / 1000 - seconds;
  return age < 5 ? 'just now' : `${span(age)} ago`;
}

/** Iterations a second, or seconds an iteration. */
export function pace(speed) {
  if (speed == null) return '–';
  return speed >= 1 || !speed ? `${speed.toFixed(1)} / s` : `${(1 / speed).toFixed(1)} s each`;
}

/** The value of an option. */
export function said(value) {
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (value === null || value === undefined || value === '') return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Write a text if it is another one, so that screen readers and selections are left alone. */
export function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** A choice that is kept for the next visit. */
export function remembered(key, otherwise) {
  try { return localStorage.getItem(`training.${key}`) ?? otherwise; } catch { return otherwise; }
}

export function remember(key, value) {
  try { localStorage.setItem(`training.${key}`, value); } catch { /* private windows keep nothing */ }
}
