// What is drawn over a frame: landmarks, boxes, crop outlines. Points are frame pixels; `at` brings them onto the canvas.

const OPEN = [[0, 17], [17, 22], [22, 27], [27, 36]];
const CLOSED = [[36, 42], [42, 48], [48, 60], [60, 68]];
/** The parts of a face, by name, for choosing several landmarks at once. */
export const PARTS = [['jaw', 0, 17], ['right brow', 17, 22], ['left brow', 22, 27], ['nose', 27, 36], ['right eye', 36, 42], ['left eye', 42, 48], ['outer lips', 48, 60], ['inner lips', 60, 68]];
export const COLORS = { found: '#00ff00', hand: '#8fd0ff', wait: '#ffd23f', locked: '#00ffff', box: '#3d7bff', crop: '#ff4040', other: '#c9c9c9', picked: '#ffffff', chosen: '#ff5cf0' };

const range = (first, end) => Array.from({ length: end - first }, (_, i) => first + i);
const LINES = [...OPEN.map(([first, end]) => [range(first, end).concat(first === 27 ? [30] : []), false]), ...CLOSED.map(([first, end]) => [range(first, end), true])];

function path(ctx, at, points, closed) {
  points.forEach(([x, y], i) => { const [u, v] = at(x, y); if (i) ctx.lineTo(u, v); else ctx.moveTo(u, v); });
  if (closed) ctx.closePath();
}

/** Lines along jaw, brows, nose, eyes and lips, and a dot on every point. */
export function drawLandmarks(ctx, at, points, color, { width = 1.2, dots = 1.6, chosen = null } = {}) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.beginPath();
  for (const [places, closed] of LINES) path(ctx, at, places.map((i) => points[i]), closed);
  ctx.stroke();
  ctx.fillStyle = color;
  ctx.beginPath();
  points.forEach(([x, y], i) => { const [u, v] = at(x, y), r = i < 17 ? dots * 1.4 : dots; ctx.moveTo(u + r, v); ctx.arc(u, v, r, 0, 7); });
  ctx.fill();
  if (chosen?.size) drawChosen(ctx, at, points, chosen, dots * 2.2);
}

function drawChosen(ctx, at, points, chosen, r) {
  ctx.fillStyle = COLORS.chosen;
  ctx.beginPath();
  for (const i of chosen) { const [u, v] = at(...points[i]); ctx.moveTo(u + r, v); ctx.arc(u, v, r, 0, 7); }
  ctx.fill();
}

export function drawPolygon(ctx, at, points, color, { width = 1.5, dash = [] } = {}) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  path(ctx, at, points, true);
  ctx.stroke();
  ctx.setLineDash([]);
}

export const corners = ([left, top, right, bottom]) => [[left, top], [right, top], [right, bottom], [left, bottom]];

function drawLabel(ctx, at, [left, top], text) {
  const [u, v] = at(left, top);
  ctx.font = '600 12px system-ui, sans-serif';
  const wide = ctx.measureText(text).width + 8;
  ctx.fillStyle = '#000a';
  ctx.fillRect(u, v - 17, wide, 16);
  ctx.fillStyle = '#fff';
  ctx.fillText(text, u + 4, v - 5);
}

/** A face with its box, landmarks and crop; dashed while it waits to be made. */
export function drawFace(ctx, at, face, { picked = false, waits = false, other = false, chosen = null, label = null } = {}) {
  const dash = waits || other ? [6, 4] : [];
  ctx.globalAlpha = other ? 0.6 : picked ? 1 : 0.75;
  drawPolygon(ctx, at, corners(face.box), other ? COLORS.other : COLORS.box, { width: picked ? 2.2 : 1.4, dash });
  if (face.corners && !other) drawPolygon(ctx, at, face.corners, COLORS.crop, { width: picked ? 2 : 1.4, dash });
  if (face.landmarks) drawLandmarks(ctx, at, face.landmarks, other ? COLORS.other : waits ? COLORS.wait : face.hand ? COLORS.hand : COLORS.found, { dots: picked ? 2 : 1.5, chosen });
  ctx.globalAlpha = 1;
  if (label) drawLabel(ctx, at, face.box, label);
}
