// Pictures of the faces that can be seen: asked for in handfuls, given up when scrolled past, a bounded number kept.
// They are kept as data: addresses, which a browser decodes at once; those of blobs cost it milliseconds each.
const AT_ONCE = 4, HANDFUL = 16, KEPT_BYTES = 48e6, PIECE = 8192;
const SIDES = [64, 96, 128, 192, 256, 384, 640];

/** Pixels to ask for, of a picture that is shown so large. */
export const sideFor = (pixels) => SIDES.find((side) => side >= pixels * 0.9) ?? SIDES.at(-1);

function address(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode.apply(null, bytes.subarray(at, at + PIECE));
  return `data:image/${bytes[0] === 0x89 ? 'png' : 'jpeg'};base64,${btoa(text)}`;
}

/** @param onready called with a face's key when its picture is there, or cannot be had */
export function makePictures(onready) {
  const kept = new Map(), flights = new Set();
  let wanted = new Map(), ahead = new Map(), bytes = 0, path = '', side = 256;

  /** Show these from now on: [{key, name}], the most urgent first, others may be given up; then get those that may come next. */
  function want(faces, next, from, pixels) {
    wanted = new Map(faces.map((face) => [face.key, face.name]));
    ahead = new Map(next.map((face) => [face.key, face.name]));
    path = from; side = sideFor(pixels);
    for (const flight of flights) if (!flight.keys.some((key) => wanted.has(key))) flight.stop.abort();
    for (const key of wanted.keys()) if (kept.has(key)) { const one = kept.get(key); kept.delete(key); kept.set(key, one); }
    go();
  }

  function go() {
    while (flights.size < AT_ONCE) {
      const urgent = missing(wanted), next = urgent.length || flights.size ? urgent : missing(ahead);
      if (!next.length) return;
      fly(next.map(([key]) => key), next.map(([, name]) => name));
    }
  }

  function missing(faces) {
    const under = new Set([...flights].flatMap((flight) => flight.keys)), found = [];
    for (const [key, name] of faces) {
      if (!under.has(key) && !((kept.get(key)?.side ?? 0) >= side)) found.push([key, name]);
      if (found.length === HANDFUL) break;
    }
    return found;
  }

  async function fly(keys, names) {
    const flight = { keys, stop: new AbortController() }, asked = side;
    flights.add(flight);
    let done = false;
    try {
      const response = await fetch(`${path}/pictures`, { method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ names, side: asked }), signal: flight.stop.signal });
      if (response.ok) { take(keys, await response.arrayBuffer(), asked); done = true; }
    } catch { /* given up, or the studio does not answer: asked again when wanted again */ }
    flights.delete(flight);
    if (done || flight.stop.signal.aborted) go();
  }

  function take(keys, buffer, asked) {
    const view = new DataView(buffer);
    let at = 4 * (keys.length + 1);
    keys.forEach((key, i) => {
      const length = view.getUint32(4 * (i + 1), true);
      keep(key, { url: length ? address(new Uint8Array(buffer, at, length)) : null, length: length * 1.34, side: asked });
      at += length;
      onready(key);
    });
    for (const [key, one] of kept) {
      if (bytes <= KEPT_BYTES) break;
      if (!wanted.has(key)) forget(key, one);
    }
  }

  function keep(key, one) {
    if (kept.has(key)) forget(key, kept.get(key));
    kept.set(key, one);
    bytes += one.length;
  }

  function forget(key, one) {
    kept.delete(key);
    bytes -= one.length;
  }

  return {
    want,
    /** An address to show, null if there is no picture, undefined if it is not here yet. */
    url: (key) => kept.get(key)?.url,
    stop() { for (const flight of flights) flight.stop.abort(); wanted = new Map(); ahead = new Map(); kept.clear(); },
  };
}
