// Setting a face by hand, with DeepFaceLab's mouse and keys: the square follows the mouse, landmarks are found at once.
import { api, el, latest, tried } from '../lib.js';
import { COLORS, corners, drawLandmarks, drawPolygon } from './align-draw.js';

const LEAST = 5, SMALL = 40, START = 100, REST_MS = 50;
const HELP = [['mouse', 'moves the square'], ['wheel', 'larger, smaller (or + −)'], ['click', 'lock, unlock (or l)'], ['Enter', 'accept, next frame'], ['Space', 'no face here, next'],
  ['.', 'next; stored only if locked'], [',', 'back; stored only if locked'], ['a', 'accurate, or fast'], ['r', 'turn by 90°, for faces that lie'], ['arrows', 'move the square'], ['h', 'hide this'], ['q', 'leave']];
/** Kept between frames, and while other pages are open. */
const kept = { size: START, accurate: true, help: true, turn: 0, x: null, y: null };

/** @param on {path, stage, state(), store(landmarks), empty(), go(step), left()} */
export function makeManual(on) {
  const help = el('div', { class: 'align-help', id: 'manual-help' }, HELP.map(([key, what]) => el('span', {}, el('b', {}, key), what)));
  const note = el('div', { class: 'align-note', id: 'manual-note', role: 'status' });
  const manual = { active: false, adding: false, locked: false, result: null };
  const box = () => [kept.x - kept.size, kept.y - kept.size, kept.x + kept.size, kept.y + kept.size];
  const asked = () => ({ frame: on.state().frame, box: box(), accurate: kept.accurate, turn: kept.turn });
  const same = (a, b) => a && JSON.stringify(a) === JSON.stringify(b);

  const find = latest(async (wish, since) => {
    const answer = await tried(() => api.post(`${on.path}/landmarks`, wish));
    if (!answer || !manual.active || wish.frame !== on.state().frame) return;
    if (manual.locked && !same(wish, asked())) return;
    manual.result = { ...answer, wish };
    on.stage.redraw();
    performance.measure(wish.accurate ? 'landmarks-accurate' : 'landmarks', { start: since, end: performance.now() });
    if (performance.getEntriesByType('measure').length > 2000) performance.clearMeasures();
  });
  let rest = 0;

  /** The square, the size or the lock has changed. While it moves one look is enough; when it rests the landmarks are made exact. */
  function changed(since = performance.now()) {
    clearTimeout(rest);
    if (!manual.active || kept.x === null) return;
    on.stage.magnify(kept.size <= SMALL ? { x: kept.x, y: kept.y, half: kept.size } : null);
    say();
    if (manual.locked) { find(asked(), since); return; }
    find({ ...asked(), accurate: false }, since);
    if (kept.accurate) rest = setTimeout(() => { if (manual.active && !manual.locked) find(asked(), performance.now()); }, REST_MS);
  }
  function say() {
    note.className = manual.locked ? 'align-note locked' : 'align-note';
    note.textContent = `${manual.adding ? 'add a face' : 'set by hand'} · ${manual.locked ? 'locked' : 'follows the mouse'} · square ${kept.size * 2} px · ${kept.accurate ? 'accurate' : 'fast'}${kept.turn ? ` · turned ${kept.turn}°` : ''}`;
    help.hidden = !kept.help;
    on.stage.element.dataset.locked = manual.locked ? 'yes' : 'no';
  }
  /** The landmarks of the square as it stands, asked for if they are not there yet. */
  async function settled() {
    if (kept.x === null) return null;
    const wish = asked();
    if (!same(manual.result?.wish, wish)) {
      const answer = await tried(() => api.post(`${on.path}/landmarks`, wish));
      if (!answer) return null;
      manual.result = { ...answer, wish };
    }
    return manual.result.landmarks;
  }
  async function store() {
    const landmarks = manual.restored ?? await settled();
    return landmarks ? on.store(landmarks, manual.adding) : false;
  }
  const lock = (yes) => { manual.locked = yes; manual.restored = null; changed(); on.stage.redraw(); };

  return Object.assign(manual, {
    start(adding = false) {
      if (kept.x === null) { const { stage } = on; kept.x = stage.wide / 2; kept.y = stage.high / 2; }
      Object.assign(manual, { active: true, adding, locked: false, result: null, restored: null });
      on.stage.element.classList.add('manual');
      on.stage.element.append(help, note);
      on.stage.element.focus({ preventScroll: true });
      changed();
    },
    stop() {
      if (!manual.active) return;
      Object.assign(manual, { active: false, adding: false, locked: false, result: null, restored: null });
      on.stage.element.classList.remove('manual');
      help.remove();
      note.remove();
      on.stage.magnify(null);
    },
    /** Another frame is shown; `face` is one of it that is taken up again, locked. */
    entered(face = null) {
      Object.assign(manual, { locked: false, result: null, restored: null });
      if (face?.landmarks) {
        const [left, top, right, bottom] = face.box;
        Object.assign(manual, { locked: true, restored: face.landmarks, result: { landmarks: face.landmarks, corners: face.corners, wish: null } });
        Object.assign(kept, { x: (left + right) / 2, y: (top + bottom) / 2 });
        on.stage.magnify(kept.size <= SMALL ? { x: kept.x, y: kept.y, half: kept.size } : null);
        say();
        on.stage.redraw();
      } else changed();
    },
    move(event) {
      if (manual.locked) return;
      [kept.x, kept.y] = on.stage.toFrame(event);
      changed(event.timeStamp);
    },
    nudge(dx, dy) {
      if (manual.locked) return;
      kept.x += dx * Math.max(1, kept.size / 10);
      kept.y += dy * Math.max(1, kept.size / 10);
      changed();
    },
    wheel(larger) {
      if (manual.locked) return;
      const step = kept.size <= SMALL ? 1 : Math.min(10, Math.max(1, Math.floor(kept.size / 10)));
      kept.size = Math.max(LEAST, kept.size + (larger ? step : -step));
      changed();
    },
    click: () => lock(!manual.locked),
    accurate() { kept.accurate = !kept.accurate; if (!manual.locked) changed(); else say(); },
    turn() { kept.turn = (kept.turn + 90) % 360; if (!manual.locked) changed(); else say(); },
    help() { kept.help = !kept.help; say(); },
    async accept() {
      if (!(await store())) return;
      if (manual.adding) on.left(); else await on.go(1);
    },
    async empty() { if (await on.empty()) await on.go(1); },
    async step(by) {
      if (manual.locked && !(await store())) return;
      await on.go(by);
    },
    async leave() {
      if (manual.locked && !(await store())) return;
      on.left();
    },
    draw(ctx, at) {
      if (kept.x === null) return;
      const color = manual.locked ? COLORS.locked : COLORS.found;
      if (!manual.restored) drawPolygon(ctx, at, corners(box()), COLORS.box, { width: 2 });
      if (!manual.result) return;
      if (manual.result.corners) drawPolygon(ctx, at, manual.result.corners, COLORS.crop, { width: 1.5 });
      drawLandmarks(ctx, at, manual.result.landmarks, color, { dots: 1.8 });
    },
  });
}
