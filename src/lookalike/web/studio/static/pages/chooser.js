// Choosing a video: a file of this computer, dropped or picked, or one that lies in the studio's folder on the server.
import { api, el, sheet, toast, tried, words } from '../lib.js';

/** A place for one side's video. `picker.chosen` is null, {file, name} or {path, name}. */
export function makePicker(side, what, { most = Infinity, onchange = () => {} } = {}) {
  const input = el('input', { type: 'file', accept: 'video/*,.mkv,.mov,.mxf,.ts,.m2ts,.mts,.avi,.y4m,.gif', class: 'hidden', tabIndex: -1, 'aria-label': `${what}: a file of this computer`, 'data-side': side });
  const says = el('p', { class: 'picker-name' });
  const clear = el('button', { hidden: true, 'aria-label': `Choose no ${side} video`, title: 'Choose none', onclick: () => set(null) }, '✕');
  const pick = el('button', { onclick: () => input.click() }, 'Choose a file');
  const there = el('button', { title: 'A file in the studio\'s folder', onclick: async () => { const found = await chooseOnServer(`Choose the ${side} video on the server`); if (found) set(found); } }, 'On the server');
  const element = el('div', { class: 'picker', role: 'group', 'aria-label': what }, el('div', { class: 'row tight' }, el('h3', { class: 'grow' }, what), clear), says, el('div', { class: 'row tight' }, pick, there, el('span', { class: 'soft small' }, 'or drop a video here')), input);
  const picker = { element, chosen: null, focus: () => pick.focus(), set };
  function set(chosen) {
    if (chosen?.file && chosen.file.size > most) {
      toast(`${chosen.name} has ${words.bytes(chosen.file.size)}; up to ${words.bytes(most)} are uploaded. Copy it into the studio's folder and choose it on the server.`, { bad: true });
      return;
    }
    picker.chosen = chosen;
    says.textContent = chosen ? `${chosen.name}${chosen.file ? ` · ${words.bytes(chosen.file.size)}` : ''}` : '';
    element.classList.toggle('full', Boolean(chosen));
    clear.hidden = !chosen;
    if (!chosen) input.value = '';
    onchange(picker);
  }
  input.onchange = () => { const file = input.files[0]; if (file) set({ file, name: file.name }); };
  element.ondragover = (event) => { if (event.dataTransfer.types.includes('Files')) { event.preventDefault(); element.classList.add('over'); } };
  element.ondragleave = (event) => { if (!element.contains(event.relatedTarget)) element.classList.remove('over'); };
  element.ondrop = (event) => {
    event.preventDefault();
    element.classList.remove('over');
    const file = event.dataTransfer.files[0];
    if (file) set({ file, name: file.name });
  };
  return picker;
}

/** Lets a file or a folder of images under the studio's folder be chosen; null if none was. */
export function chooseOnServer(title) {
  return new Promise((resolve) => {
    let chosen = null;
    const path = el('nav', { class: 'row tight', 'aria-label': 'Folder' });
    const list = el('div', { class: 'chooser', role: 'list' });
    const dialog = sheet(title, path, list);
    dialog.addEventListener('close', () => resolve(chosen), { once: true });
    const take = (name, parts) => { chosen = { path: parts.join('/'), name }; dialog.close(); };
    const row = (kind, name, note, run) => el('div', { role: 'listitem' }, el('button', { class: `chooser-row ${kind}`, onclick: run }, el('span', { class: 'grow cut' }, name), el('span', { class: 'soft small' }, note)));
    async function open(folder) {
      const found = await tried(() => api.get(`/api/files?folder=${encodeURIComponent(folder)}`));
      if (!found) return;
      const parts = found.folder ? found.folder.split('/') : [];
      path.replaceChildren(el('button', { onclick: () => open('') }, 'Studio\'s folder'), ...parts.map((part, i) => el('button', { onclick: () => open(parts.slice(0, i + 1).join('/')) }, part)));
      list.replaceChildren(
        ...(found.images && parts.length ? [row('images', `This folder's ${words.many(found.images, 'image')} as a video`, 'images', () => take(parts.at(-1), parts))] : []),
        ...found.folders.map((one) => row('folder', `${one.name}/`, 'folder', () => open([...parts, one.name].join('/')))),
        ...found.videos.map((one) => row('film', one.name, words.bytes(one.bytes), () => take(one.name, [...parts, one.name]))));
      if (found.left_out) list.append(el('p', { class: 'soft' }, `${words.many(found.left_out, 'more entry', 'more entries')} not shown`));
      if (!list.children.length) list.append(el('p', { class: 'empty' }, 'There is no video and no folder in here.'));
      list.querySelector('button')?.focus();
    }
    open('');
  });
}

/** Give a workspace what a picker has; resolves with whether it got it. */
export async function give(ws, side, chosen, send) {
  if (chosen.file) return Boolean(await send(ws, side, chosen.file));
  return (await tried(() => api.post(api.of(ws, 'videos', side, 'choose'), { path: chosen.path }))) !== undefined;
}
