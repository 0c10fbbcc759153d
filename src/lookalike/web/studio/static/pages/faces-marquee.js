// A rectangle drawn with the mouse over a grid that scrolls.
import { el } from '../lib.js';

const EDGE = 30;

/** Follow a press: drawn({left, top, right, bottom}) in the space's pixels as it grows, or click() if it never moved. */
export function marquee(element, space, press, least, drawn, click) {
  const from = { x: press.clientX, y: press.clientY + element.scrollTop };
  let last = press, frame = 0, box = null;

  function draw() {
    frame = 0;
    const bounds = element.getBoundingClientRect();
    if (last.clientY < bounds.top + EDGE) element.scrollTop -= bounds.top + EDGE - last.clientY;
    if (last.clientY > bounds.bottom - EDGE) element.scrollTop += last.clientY - bounds.bottom + EDGE;
    const inside = space.getBoundingClientRect(), x = last.clientX - inside.left, y = last.clientY - inside.top;
    const x0 = from.x - inside.left, y0 = from.y - element.scrollTop - inside.top;
    const found = { left: Math.min(x, x0), right: Math.max(x, x0), top: Math.min(y, y0), bottom: Math.max(y, y0) };
    box.style.transform = `translate(${found.left}px, ${found.top}px)`;
    box.style.width = `${found.right - found.left}px`;
    box.style.height = `${found.bottom - found.top}px`;
    drawn(found);
    if (last.clientY < bounds.top + EDGE || last.clientY > bounds.bottom - EDGE) frame = requestAnimationFrame(draw);
  }

  function move(event) {
    last = event;
    if (!box) {
      if (Math.hypot(event.clientX - from.x, event.clientY + element.scrollTop - from.y) < least) return;
      box = el('div', { class: 'faces-box' });
      space.append(box);
    }
    frame ||= requestAnimationFrame(draw);
  }

  function end(event) {
    for (const [name, listener] of listeners) window.removeEventListener(name, listener);
    if (box && frame) { cancelAnimationFrame(frame); draw(); }
    cancelAnimationFrame(frame);
    if (box) box.remove(); else if (event.type === 'pointerup') click();
  }

  const listeners = [['pointermove', move], ['pointerup', end], ['pointercancel', end]];
  for (const [name, listener] of listeners) window.addEventListener(name, listener);
}
