// The page beside `train --preview`: the view of one training and nothing else.
import { el, onKeys } from '../lib.js';
import { KEYS, mount } from './training-view.js';

const dark = matchMedia('(prefers-color-scheme: dark)');
const tint = () => document.documentElement.classList.toggle('dark', dark.matches);
dark.addEventListener('change', tint);
tint();
if (location.search) history.replaceState(null, '', location.pathname); // the cookie holds the token from now on
const root = document.getElementById('training');
const view = mount(root, '', { readOnly: true });
root.append(el('footer', { class: 'soft small' }, 'Keys: ', KEYS.map(([keys, what]) => [el('kbd', {}, keys), ` ${what.toLowerCase()}   `])));
onKeys(view.keys);
