// What keys do on the page of masks.

/** As the shell shows them: key, what it does. */
export const KEYS = [
  [', or .', 'Face before, next face (also a, d)'], ['< or >', 'The same, with polygons only (Shift+A, D)'], ['Home or End', 'First, last face'], ['g', 'Go to a frame'],
  ['c', 'Copy the polygons of the last drawn face here'], ['i or e', 'Draw what is included, excluded'], ['s', 'Choose and change'], ['b', 'Brush or polygon'],
  ['[ or ]', 'Brush smaller, larger; without the brush: fill less, more'], ['click', 'Set a corner'], ['Enter', 'Close the polygon; also: click its first corner'],
  ['Backspace or Escape', 'Take back a corner, drop the polygon'], ['arrows or x', 'Without a mouse: move the cross, set a corner or a dab'],
  ['p or Shift+P', 'Choose a polygon; also: click inside, again for the one below'], ['o or Shift+O', 'Choose a corner'], ['drag or arrows', 'Move a corner or the chosen polygon; Shift: by ten'],
  ['Alt+click or Insert', 'Insert a corner; also: double click on an edge'], ['right click or Delete', 'Remove a corner; a polygon'], ['k', 'Chosen polygon: include or exclude'],
  ['PageUp or PageDown', 'Chosen polygon: raise, lower'], ['Ctrl+Z or Ctrl+Shift+Z', 'Undo, redo, for each face'], ['n', 'Apply the network to this face'], ['Shift+N', 'Apply the network to all faces'],
  ['1 or 2 or 3 or 4', 'Show polygons, result, face, network'], ['wheel or + or -', 'Zoom at the pointer'], ['0', 'Fit to the window'], ['Space+drag or middle drag', 'Move the picture'],
];

/** Listen while the page is open; answers how to stop. */
export function listenToKeys(desk, jobs) {
  const keys = new Keys(desk, jobs);
  const down = (event) => keys.down(event), up = (event) => { if (event.key === ' ') keys.hold(false); }, blur = () => keys.hold(false);
  addEventListener('keydown', down);
  addEventListener('keyup', up);
  addEventListener('blur', blur);
  return () => {
    removeEventListener('keydown', down);
    removeEventListener('keyup', up);
    removeEventListener('blur', blur);
  };
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FIELDS = 'input[type=number], input[type=text], input[type=search], select, textarea';

class Keys {
  constructor(desk, jobs) {
    const { faces, edits, view } = desk, step = (by) => () => desk.open(faces.step(by)), drawn = (by) => () => desk.nextDrawn(by);
    const size = (by) => () => { if (desk.brushes) edits.setBrush(desk.brush * by); else desk.setOpacity(desk.opacity * 100 + (by > 1 ? 5 : -5)); };
    this.desk = desk;
    /** Keys that need no face to be there. */
    this.everywhere = {
      ',': step(-1), a: step(-1), '.': step(1), d: step(1), '<': drawn(-1), A: drawn(-1), '>': drawn(1), D: drawn(1),
      Home: () => desk.open(faces.all[0]?.name), End: () => desk.open(faces.all.at(-1)?.name), g: () => { desk.ui.go.focus(); desk.ui.go.select(); },
      1: () => desk.setShow('polygons'), 2: () => desk.setShow('result'), 3: () => desk.setShow('face'), 4: () => desk.setShow('network'),
      '[': size(1 / 1.2), ']': size(1.2), N: jobs.applyToAll,
    };
    this.onFace = {
      i: () => desk.setTool('include'), e: () => desk.setTool('exclude'), s: () => desk.setTool('choose'), b: () => desk.setBrushing(!desk.withBrush),
      Enter: () => { if (desk.shown.draft) edits.close(); }, Escape: () => desk.escape(), Backspace: () => this.takeBack(), Delete: () => this.takeBack(),
      Insert: () => edits.insertAfterChosen(), x: () => desk.setAtCross(), p: () => desk.nextPolygon(1), P: () => desk.nextPolygon(-1), o: () => desk.nextCorner(1), O: () => desk.nextCorner(-1),
      k: () => edits.otherKind(), PageUp: () => edits.reorder(1), PageDown: () => edits.reorder(-1), c: () => edits.copyHere(), n: jobs.applyHere,
      0: () => view.fit(), '+': () => this.zoom(1.25), '=': () => this.zoom(1.25), '-': () => this.zoom(0.8),
    };
  }
  takeBack() { if (this.desk.shown.draft) this.desk.edits.backDraft(-1); else this.desk.edits.removeChosen(); }
  zoom(by) { this.desk.view.zoom(by, this.desk.pointer ?? this.desk.view.middle); }
  hold(held) {
    this.desk.spaceHeld = held;
    this.desk.point();
    this.desk.draw();
  }
  down(event) {
    const { target } = event;
    if (target.matches?.(FIELDS) || target.closest?.('dialog') || document.querySelector('dialog[open]') || event.isComposing) return;
    const third = event.getModifierState('AltGraph'); // some keyboards have [ and ] there
    if ((event.ctrlKey || event.metaKey) && !third) { this.travel(event); return; }
    if (event.altKey && !third) return;
    const act = this.asked(event);
    if (!act) return;
    event.preventDefault();
    act();
  }
  travel(event) {
    const redo = event.key.toLowerCase() === 'y' || (event.key.toLowerCase() === 'z' && event.shiftKey);
    if (!redo && event.key.toLowerCase() !== 'z') return;
    event.preventDefault();
    this.desk.edits.travel(redo ? 1 : -1);
  }
  /** What is to be done at a key; nothing if it belongs to a button, a slider or the list. */
  asked(event) {
    const { desk } = this, { key, target } = event, widget = target.matches?.('button, input, a, summary'), list = target === desk.ui.list;
    if (key === ' ') return widget || list ? null : () => this.hold(true);
    if (key === 'Enter' && widget) return null;
    if (key in ARROWS) return this.arrow(ARROWS[key], event, list);
    if (list && (key === 'PageUp' || key === 'PageDown')) return () => desk.open(desk.faces.leaf(key === 'PageUp' ? -1 : 1));
    if (target.matches?.('input[type=range]') && (key.startsWith('Page') || key === 'Home' || key === 'End')) return null;
    const known = key.length === 1 && event.getModifierState('CapsLock') ? (event.shiftKey ? key.toUpperCase() : key.toLowerCase()) : key;
    return this.everywhere[known] ?? (desk.ready ? this.onFace[known] : null);
  }
  arrow(by, event, list) {
    const { desk } = this;
    if (list) return by[1] ? () => desk.open(desk.faces.step(by[1])) : () => {};
    if (event.target.matches?.('input') || !desk.ready) return null;
    const far = by.map((d) => d * (event.shiftKey ? 10 : 1));
    return desk.tool === 'choose' ? () => desk.edits.nudge(far) : () => desk.moveCross(far);
  }
}
