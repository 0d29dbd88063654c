// The page of the simulator: draws what /api/state says and sends what people type. Texts are untrusted:
// they only ever become text nodes, and only http(s) addresses become links.

const people = document.querySelector('#people');
const jump = document.querySelector('#jump');
const live = document.querySelector('#live');
const cards = new Map();
const MAX_TEXT_CHARS = 1600;

const ICONS = {
  phone: 'M7 2h10a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zm4 17h2',
  mail: 'M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zm-1 2 9 6 9-6',
  send: 'M12 20V5m0 0-6 6m6-6 6 6',
};

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  for (const [key, value] of Object.entries({
    viewBox: '0 0 24 24',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '2',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
    'aria-hidden': 'true',
  })) {
    svg.setAttribute(key, value);
  }
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** Text with its web addresses as links that open beside this page. */
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]])/).map((piece, index) => {
    if (index % 2 === 0) return piece;
    return element('a', { href: piece, target: '_blank', rel: 'noopener noreferrer' }, piece);
  });
}

function clock(instant) {
  return new Date(instant).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

/** `Maria (store manager)` as `Maria`; a role alone, such as `Shift lead`, stays whole. */
function shortName(label) {
  return label.split(/\s*[,(]/)[0];
}

function hueOf(slug) {
  return [...slug].reduce((sum, ch) => (sum * 31 + ch.charCodeAt(0)) % 360, 7);
}

/** `Maria (store manager)` is a name and a role. */
function nameAndRole(label) {
  const [, name, role] = /^([^(]+?)\s*\((.+)\)$/.exec(label) ?? [null, label, ''];
  return { name, role };
}

function createCard(key, kind, person, address) {
  const face = element('span', { class: 'face', 'aria-hidden': 'true' }, shortName(person.label).slice(0, 1));
  face.style.setProperty('--hue', hueOf(person.slug));
  const { name, role } = nameAndRole(person.label);
  const heading = element('h2', { id: `${key}-name`, title: person.label }, name);
  const log = element('div', {
    class: 'log',
    role: 'log',
    tabindex: '0',
    'aria-label': `${kind === 'phone' ? 'Texts' : 'Mail'} of ${shortName(person.label)}`,
  });
  const node = element(
    'article',
    { class: kind === 'mail' ? 'card mail-card' : 'card', id: key, 'aria-labelledby': `${key}-name` },
    element(
      'header',
      {},
      face,
      element(
        'div',
        { class: 'who' },
        heading,
        element('p', {}, [address, role].filter(Boolean).join(' · ')),
      ),
      element('span', { class: 'kind' }, icon(kind)),
    ),
    log,
  );
  const tab = element('button', { type: 'button' }, icon(kind), shortName(person.label));
  tab.querySelector('svg').setAttribute('width', '16');
  tab.addEventListener('click', () => node.scrollIntoView({ inline: 'center', block: 'nearest' }));
  people.append(node);
  jump.append(tab);
  watchTab(node, tab);
  const card = { node, log, tab, count: 0, drawn: '' };
  cards.set(key, card);
  return card;
}

function watchTab(node, tab) {
  new IntersectionObserver(
    ([entry]) => {
      tab.setAttribute('aria-current', String(entry.isIntersecting));
      if (entry.isIntersecting) tab.setAttribute('data-new', 'false');
    },
    { root: people, threshold: 0.6 },
  ).observe(node);
}

/** Redraws a card's list when it changed; stays at its newest end if the reader was there. */
function drawList(card, items, empty, toNode, isNewestFirst = false) {
  const now = JSON.stringify(items);
  if (now === card.drawn) return;
  const { log, tab } = card;
  const wasAtEnd = isNewestFirst || log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const open = new Set([...log.querySelectorAll('details[open]')].map((node) => node.id));
  log.replaceChildren(
    ...(items.length === 0 ? [element('p', { class: 'empty' }, empty)] : items.map(toNode)),
  );
  for (const details of log.querySelectorAll('details')) if (open.has(details.id)) details.open = true;
  if (wasAtEnd || card.drawn === '') log.scrollTop = isNewestFirst ? 0 : log.scrollHeight;
  if (items.length > card.count && card.drawn !== '' && tab.getAttribute('aria-current') !== 'true') {
    tab.setAttribute('data-new', 'true');
  }
  card.count = items.length;
  card.drawn = now;
}

const STATUS = { sending: 'sending…', taken: 'delivered', refused: 'not taken by the gateway' };

function bubble(message) {
  const status = message.direction === 'sent' ? STATUS[message.status] : undefined;
  const note = status === undefined ? clock(message.at) : `${clock(message.at)} · ${status}`;
  return element(
    'div',
    { class: `bubble ${message.direction}` },
    element('div', {}, ...linked(message.body)),
    element('small', { class: message.status === 'refused' ? 'bad' : '' }, note),
  );
}

function mailNode(mail, index) {
  const node = element(
    'details',
    { class: 'mail', id: `mail-${mail.id}` },
    element(
      'summary',
      {},
      element('b', {}, mail.subject || '(no subject)'),
      element('small', {}, `${clock(mail.at)} · ${mail.from}`),
    ),
    element('div', {}, ...linked(mail.text)),
  );
  if (index === 0) node.open = true;
  return node;
}

async function send(slug, body) {
  const response = await fetch(`/api/phones/${encodeURIComponent(slug)}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ body }),
  });
  if (!response.ok) throw new Error(`refused with ${response.status}`);
}

function createPhone(phone) {
  const card = createCard(`phone-${phone.slug}`, 'phone', phone, phone.phone);
  const hints = element('div', { class: 'hints' });
  const field = element('textarea', {
    rows: '1',
    maxlength: String(MAX_TEXT_CHARS),
    placeholder: 'Text message',
    'aria-label': `Write as ${shortName(phone.label)}`,
    autocomplete: 'off',
  });
  const button = element('button', { type: 'submit', 'aria-label': 'Send' }, icon('send'));
  const composer = element('form', { class: 'composer' }, field, button);
  const update = () => {
    button.disabled = field.value.trim() === '';
  };
  const submit = async (text) => {
    if (text.trim() === '') return;
    try {
      await send(phone.slug, text.trim());
    } catch {
      // The words go back to where they can be sent again.
      field.value = text;
      setLive('lost', 'not sent: try again');
    }
    update();
  };
  composer.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = field.value;
    field.value = '';
    update();
    submit(text);
  });
  field.addEventListener('input', update);
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      composer.requestSubmit();
    }
  });
  for (const suggestion of phone.suggestions) {
    const chip = element('button', { type: 'button' }, suggestion.text);
    chip.addEventListener('click', () => submit(suggestion.text));
    hints.append(element('p', {}, suggestion.why), chip);
  }
  update();
  card.node.append(hints, composer);
  card.hints = hints;
  return card;
}

function draw(state) {
  for (const phone of state.phones) {
    const card = cards.get(`phone-${phone.slug}`) ?? createPhone(phone);
    const texts = new Set(phone.messages.filter((m) => m.direction === 'sent').map((m) => m.body));
    card.hints.hidden = phone.suggestions.every((suggestion) => texts.has(suggestion.text)) || texts.size > 0;
    card.hints.style.display = card.hints.hidden ? 'none' : '';
    drawList(card, phone.messages, `No texts yet. What is written here goes to ${state.number}.`, bubble);
  }
  for (const box of state.mailboxes) {
    const card = cards.get(`mail-${box.slug}`) ?? createCard(`mail-${box.slug}`, 'mail', box, box.email);
    const newestFirst = [...box.mails].reverse();
    drawList(card, newestFirst, 'No mail yet. Codes and notices arrive here.', mailNode, true);
  }
}

function setLive(state, words) {
  live.dataset.state = state;
  live.querySelector('span').textContent = words;
}

let isLoading = false;
let isStale = false;

/** One request at a time; a change that comes during one asks for another. */
async function refresh() {
  isStale = true;
  if (isLoading) return;
  isLoading = true;
  try {
    while (isStale) {
      isStale = false;
      const response = await fetch('/api/state');
      if (!response.ok) throw new Error(`state answered ${response.status}`);
      draw(await response.json());
      setLive('live', 'live');
    }
  } catch {
    setLive('lost', 'connection lost');
  } finally {
    isLoading = false;
  }
}

// On a phone the guide would hide what it talks about; its title stays.
if (matchMedia('(max-width: 640px)').matches) document.querySelector('.guide').open = false;

const changes = new EventSource('/api/changes');
changes.addEventListener('open', refresh);
changes.addEventListener('change', refresh);
changes.addEventListener('error', () => setLive('lost', 'connection lost'));
