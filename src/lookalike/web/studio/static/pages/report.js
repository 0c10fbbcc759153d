import { el } from '../lib.js';

export default {
  title: 'Report',
  keys: [],
  async show(root, view) {
    root.append(el('div', { class: 'panel empty' }, el('p', {}, 'Report is being built.')));
  },
};
