// The rendered videos, with sound; their frames are those of the scrubber.
import { api, el } from '../lib.js';

export function makePlayer(desk) {
  const video = el('video', { controls: true, preload: 'auto', playsInline: true, 'aria-label': 'Rendered video' });
  const problem = el('p', { class: 'merge-problem bad', role: 'status', hidden: true });
  const element = el('div', { class: 'merge-player', hidden: true }, video, problem);
  let which = null, loaded = '', wanted = null, callback = 0;

  const made = () => (which ? desk.facts[which] : null);
  const last = (of) => of.first + of.frames - 1;

  function timeOf(frame) {
    const of = made(), number = Math.min(of.frames - 1, Math.max(0, frame - of.first));
    const at = of.times ? of.times[number] : number / of.rate;
    const next = of.times ? of.times[number + 1] ?? at + 1 / of.rate : (number + 1) / of.rate;
    return of.start + (at + next) / 2; // the middle of a frame is never rounded into its neighbour
  }

  function frameAt(seconds) {
    const of = made(), time = seconds - of.start + 0.25 / of.rate;
    let number = Math.floor(time * of.rate);
    if (of.times) for (number = of.times.length - 1; number > 0 && of.times[number] > time;) number -= 1;
    return of.first + Math.min(of.frames - 1, Math.max(0, number));
  }

  function seek(frame) {
    const of = made();
    if (!of) return;
    wanted = Math.min(last(of), Math.max(of.first, frame));
    if (video.readyState >= 1 && !video.seeking) go();
  }

  function go() {
    if (wanted === null || !made()) return;
    const time = timeOf(wanted);
    wanted = null;
    if (Math.abs(video.currentTime - time) > 1e-4) video.currentTime = time;
  }
  video.addEventListener('seeked', go);
  video.addEventListener('loadedmetadata', go);

  /** Every frame that the browser shows is told to the scrubber. */
  function watch() {
    if (!video.requestVideoFrameCallback) { video.ontimeupdate = () => { if (!video.seeking) tell(video.currentTime); }; return; }
    callback = video.requestVideoFrameCallback((_, about) => { tell(about.mediaTime); watch(); });
  }
  function tell(seconds) {
    if (element.hidden || !made() || wanted !== null) return;
    element.dataset.frame = frameAt(seconds);
    desk.go(frameAt(seconds), 'player');
  }

  video.addEventListener('error', () => {
    if (!made() || !video.getAttribute('src')) return;
    problem.textContent = `This browser cannot play ${made().name}; open ${made().path} in another player.`;
    problem.hidden = false;
  });
  // The keys of a video that has the focus are its own.
  video.addEventListener('keydown', (event) => { if (/^(Arrow|Home|End| )/.test(event.key)) event.stopPropagation(); });

  function show(name) {
    which = name;
    const of = made();
    element.hidden = !of;
    if (!of) { video.pause(); return; }
    const source = `${api.of(desk.ws, 'merge', 'video', name)}?v=${of.stamp}`;
    if (source !== loaded) {
      loaded = source;
      problem.hidden = true;
      video.src = source;
    }
    seek(desk.frame);
  }
  watch();

  return {
    element, video, show, seek,
    get which() { return which; },
    get frames() { const of = made(); return of && [of.first, last(of)]; },
    toggle() { if (video.paused) video.play().catch(() => {}); else video.pause(); },
    play() { video.play().catch(() => {}); },
    stop() {
      if (callback) video.cancelVideoFrameCallback?.(callback);
      which = null;
      video.pause();
      video.removeAttribute('src');
      video.load();
    },
  };
}
