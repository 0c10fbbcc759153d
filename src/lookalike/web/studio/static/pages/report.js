// How good the result is: figures, plots, the worst frames; and what is known of how it was made.
import { api, el, onKeys, toast, tried, words } from '../lib.js';
import { active, onJobs, isOver, share, start } from '../jobs.js';
import { madeOf } from './report-made.js';
import { plotsOf } from './report-plots.js';

export default {
  title: 'Report',
  keys: [['R', 'Measure the result'], ['Arrows', 'Go through the worst frames'], ['Enter', 'Open a worst frame in Merge'], ['W', 'To the worst frames']],
  async show(root, view) {
    style();
    const [first, svg] = await Promise.all([api.get(api.of(view.ws, 'report')), api.get(api.of(view.ws, 'report', 'plots'))]);
    return makePage(root, view, first, svg.svg).stop;
  },
};

function style() {
  const href = '/static/pages/report.css';
  if (!document.head.querySelector(`link[href="${href}"]`)) document.head.append(el('link', { rel: 'stylesheet', href }));
}

function makePage(root, view, first, firstPlots) {
  const { ws } = view;
  const measure = async () => { if (!button.disabled && await start(ws, 'report')) toast('The report is in the queue'); };
  const button = el('button', { class: 'main', 'aria-keyshortcuts': 'R', onclick: measure });
  const bar = el('progress', { hidden: true, 'aria-label': 'Report' }), says = el('p', { class: 'soft' });
  const jumps = el('nav', { class: 'row tight', 'aria-label': 'Parts of the report' });
  const title = el('h1', { class: 'cut' }), body = el('div', { class: 'report-body' });
  root.append(el('section', { class: 'panel' }, el('div', { class: 'row' }, el('div', { class: 'grow stack' }, title, says, bar), jumps, button)), body);

  function draw(data, svg) {
    const { report } = data;
    button.textContent = report ? 'Measure again' : 'Measure the result';
    button.hidden = !data.result;
    title.textContent = report ? `${report.figures.src} on ${report.figures.dst}` : 'Report';
    says.classList.toggle('warn', Boolean(report?.old));
    says.textContent = report?.old ? (data.result ? `This report is on an earlier result; measure ${data.result.name} again.` : 'This report is on a result that is gone or was changed since.')
      : report ? `On ${report.figures.result}, measured ${new Date(report.made * 1000).toLocaleString('en-GB')}.`
        : data.unreadable ? 'The report there was made by another version; measure the result again.'
          : data.result ? `${data.result.name} was not measured yet: likeness, landmarks, expression, seam, flicker, and the worst frames.` : 'There is no result yet.';
    body.replaceChildren(...(report ? [summary(ws, report), worst(view, report), over(svg), figures(report)] : data.result ? [] : [el('div', { class: 'panel empty' }, el('p', {}, 'Merge makes the result that is measured here.'), el('a', { class: 'button main', href: `#/w/${encodeURIComponent(ws)}/merge` }, 'To Merge'))]).filter(Boolean));
    if (data.comparison) body.append(comparison(ws, data.comparison));
    if (data.result) body.append(madeOf(data.result));
    jumps.replaceChildren(...[...body.querySelectorAll('[data-jump]')].map((part) => el('button', { onclick: () => { part.scrollIntoView({ block: 'start' }); part.tabIndex = -1; part.focus({ preventScroll: true }); } }, part.dataset.jump)));
    if (data.page) body.append(el('p', { class: 'small' }, el('a', { href: `${api.of(ws, 'report', 'files')}/index.html`, target: '_blank', rel: 'noopener' }, 'The report as a page of its own'), el('span', { class: 'soft' }, ' (report/index.html in the workspace; can be sent to others together with its folder)')));
  }

  const again = async () => {
    const [data, svg] = (await tried(() => Promise.all([api.get(api.of(ws, 'report')), api.get(api.of(ws, 'report', 'plots'))]))) ?? [];
    if (data && root.isConnected) draw(data, svg.svg);
  };
  let over_ = '';
  const stopJobs = onJobs((jobs) => {
    const job = active(ws, 'report');
    button.disabled = Boolean(job);
    bar.hidden = !job || job.state === 'waiting';
    if (job?.total) { bar.max = 1; bar.value = share(job); } else bar.removeAttribute('value');
    const ended = jobs.filter((one) => one.workspace === ws && isOver(one)).map((one) => one.number).join();
    if (over_ && ended !== over_) again();
    over_ = ended || ' ';
  });
  draw(first, firstPlots);

  function move(way) {
    const links = [...root.querySelectorAll('.worst-one')], at = links.indexOf(document.activeElement);
    if (at < 0) return;
    const columns = Math.max(1, links.filter((one) => one.getBoundingClientRect().top === links[0].getBoundingClientRect().top).length);
    links[Math.max(0, Math.min(links.length - 1, at + { left: -1, right: 1, up: -columns, down: columns }[way]))].focus();
  }
  const stopKeys = onKeys({ r: measure, w: () => root.querySelector('.worst-one')?.focus() });
  const arrows = (event) => {
    const way = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' }[event.key];
    if (way && event.target.closest?.('.worst-one')) { event.preventDefault(); move(way); }
  };
  root.addEventListener('keydown', arrows);
  return { stop() { stopJobs(); stopKeys(); } };
}

function summary(ws, report) {
  const failed = report.sections.flatMap((part) => part.rows.filter((row) => row.good === false).map((row) => ({ ...row, part: part.title })));
  const { figures } = report;
  return el('section', { class: 'panel stack', 'aria-label': 'In short' },
    el('div', { class: 'row' }, el('span', { class: `report-score ${failed.length ? 'warn' : 'good'}` }, `${report.good} / ${report.checked}`), el('strong', {}, 'checks are good')),
    failed.length ? el('ul', { class: 'report-failed' }, failed.map((row) => el('li', {}, el('span', { class: 'pill bad' }, 'not good'), el('span', {}, el('strong', {}, `${row.part}, ${row.name.toLowerCase()}`), ` ${row.value}`, el('span', { class: 'soft' }, ` · wanted: ${row.wanted}`))))) : null,
    ...figures.notes.map((note) => el('p', { class: 'soft small' }, note)),
    figures.strip ? el('figure', {}, el('img', { class: 'report-strip', src: `${api.of(ws, 'report', 'files')}/${encodeURIComponent(figures.strip)}?${report.made}`, alt: 'Faces of dst above those of the result' }),
      el('figcaption', { class: 'soft small' }, `dst above, the result below; frames ${figures.strip_frames.map((one) => one + 1).join(', ')}`)) : null);
}

function figures(report) {
  return el('section', { 'aria-label': 'Figures', 'data-jump': 'Figures', class: 'report-figures' }, report.sections.map((part) => el('section', { class: 'panel stack', 'data-section': part.title },
    el('h2', {}, part.title),
    el('table', { class: 'report-table' }, el('thead', { class: 'hidden' }, el('tr', {}, ['Figure', 'Value', 'Good?'].map((name) => el('th', { scope: 'col' }, name)))),
      el('tbody', {}, part.rows.map((row) => el('tr', { 'data-good': String(row.good) },
        el('th', { scope: 'row' }, row.name, el('p', { class: 'soft small' }, row.meaning)),
        el('td', { class: 'report-value' }, row.value),
        el('td', {}, row.good === null ? null : el('span', { class: `pill ${row.good ? 'good' : 'bad'}` }, row.good ? 'good' : 'not good'), row.wanted ? el('p', { class: 'soft small' }, `wanted: ${row.wanted}`) : null))))))));
}

function over(svg) {
  const drawn = plotsOf(svg);
  return drawn && el('section', { class: 'panel stack', 'aria-label': 'Over time', 'data-jump': 'Over time' }, el('div', { class: 'row' }, el('h2', { class: 'grow' }, 'Over time'), el('span', { class: 'soft small' }, 'ticks at the bottom: the worst frames; dashed: from here on it is bad')), drawn);
}

function worst(view, report) {
  const rows = report.figures.worst;
  if (!rows.length) return null;
  const bad = rows.filter((one) => one.score >= 1).length;
  return el('section', { class: 'panel stack', 'aria-label': 'Worst frames', 'data-jump': 'Worst frames' },
    el('div', { class: 'row' }, el('h2', { class: 'grow' }, 'Worst frames'), el('span', { class: 'soft small' }, `dst left, result right; ${bad ? `${bad} of ${rows.length} are past a limit` : 'none is past a limit'}; click to open in Merge`)),
    el('div', { class: 'worst', role: 'list' }, rows.map((one) => el('div', { role: 'listitem' }, el('button', { class: 'worst-one', 'data-frame': one.frame + 1, onclick: () => view.go('merge', String(one.frame + 1)) },
      el('img', { src: `${api.of(view.ws, 'report', 'files')}/${encodeURIComponent(one.file)}?${report.made}`, loading: 'lazy', alt: `dst and the result, frame ${one.frame + 1}`, draggable: false }),
      el('span', {}, el('strong', {}, `Frame ${one.frame + 1}`), el('span', { class: 'soft' }, ` · ${one.seconds.toFixed(2)} s`)),
      el('span', { class: 'worst-why' }, one.reasons.map((reason) => el('span', { class: `pill ${reason.severity >= 1 ? 'bad' : ''}` }, reason.text))))))));
}

function comparison(ws, facts) {
  const page = `${api.of(ws, 'report', 'files')}/comparison.html`;
  return el('section', { class: 'panel stack', 'aria-label': 'Comparison', 'data-jump': 'Comparison' },
    el('div', { class: 'row' }, el('h2', { class: 'grow' }, 'Comparison'), el('a', { href: page, target: '_blank', rel: 'noopener' }, 'Open it alone')),
    el('p', { class: 'soft' }, `${words.many(facts.names.length, 'result')} side by side: ${facts.names.join(', ')}`),
    el('iframe', { class: 'report-frame', src: page, title: 'Comparison of results', sandbox: 'allow-same-origin', loading: 'lazy' }));
}
