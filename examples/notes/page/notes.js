// The whole frontend. The import comes first: it takes the credentials out of the address bar before anything else happens.
import { connect } from '%FALCONER%/sdk/falconer.js';

const falconer = connect({ rootUrl: '%FALCONER%', storage: 'session' });
const $ = (id) => document.getElementById(id);
const address = new URL(location.href);
let book = address.searchParams.get('book') || 'demo';

// ------------------------------------------------------------------------------------------------------------- messages

function say(text) {
  $('message').textContent = text;
  $('message').hidden = !text;
}

/** The protocol's words, but for missing scopes, where they are meant for programmers. */
function inWords(error) {
  const missing = error.code === 'InsufficientScopes' && /```\n([^]*?)\n```/.exec(error.message);
  return missing ? `You have not granted Notes what this needs: ${missing[1]}` : error.message;
}

/** Runs something that may fail, with the button asleep meanwhile, and shows why it failed. */
async function attempt(button, work) {
  say('');
  if (button) button.disabled = true;
  try {
    await work();
  } catch (error) {
    say(inWords(error));
    // Ended or revoked: nothing is left to keep.
    if (error.status === 401) falconer.clear();
    // Denied for this notebook, or no longer good at all: a new grant helps.
    $('ask-more').hidden = error.status !== 403 && error.status !== 401;
    $('ask-more').textContent = error.status === 401 ? 'Sign in again' : 'Ask for this notebook';
    if (!falconer.signedIn) show();
  } finally {
    if (button) button.disabled = false;
  }
}

// -------------------------------------------------------------------------------------------------------------- sign in

function request(responseMode) {
  const scopes = [`notes:read:${book}`];
  if ($('ask-write').checked) scopes.push(`notes:write:${book}`);
  const target = new URL('/', location.href);
  target.searchParams.set('book', book);
  return {
    description: `Notes would like to open the notebook **${book.replace(/[^\w .]/g, '\\$&')}** for you.`,
    scopes,
    identity: $('ask-identity').checked,
    target: target.href,
    responseMode,
  };
}

function signIn(responseMode) {
  if (!$('book').reportValidity()) return;
  book = $('book').value;
  attempt(null, () => falconer.signIn(request(responseMode)));
}

$('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  signIn('fragment');
});
$('sign-in-query').addEventListener('click', (event) => {
  event.preventDefault();
  signIn('query');
});
$('ask-more').addEventListener('click', () => attempt(null, () => falconer.signIn(request('fragment'))));
// The page stays: what is being written is not lost.
$('renew').addEventListener('click', () => attempt(null, async () => {
  await falconer.renew(request('fragment'));
  $('renew').hidden = true;
  showExpiry();
}));
// Where no window opens, it waits in this tab.
falconer.keep('note', $('write-form'));
$('sign-out').addEventListener('click', async () => {
  const ended = falconer.signOut();
  say('');
  show();
  if (await ended !== 'ended') say('You are signed out here. What you granted may count still: revoke it at Falconer.');
});

// ---------------------------------------------------------------------------------------------------------------- notes

const notesUrl = (name) => `/api/books/${encodeURIComponent(book)}/notes${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;

async function openBook() {
  $('notes').replaceChildren();
  $('empty').hidden = true;
  $('ask-more').hidden = true;
  address.searchParams.set('book', book);
  history.replaceState(history.state, '', address);
  const notes = await falconer.json(notesUrl());
  $('notes').replaceChildren(...notes.map(line));
  $('empty').hidden = notes.length > 0;
}

function line(note) {
  const name = Object.assign(document.createElement('button'), { type: 'button', textContent: note.name });
  name.addEventListener('click', () => attempt(name, async () => {
    const fresh = await falconer.json(notesUrl(note.name));
    $('note-name').value = fresh.name;
    $('note-text').value = fresh.text;
    $('note-text').focus();
  }));
  const author = Object.assign(document.createElement('span'), { className: 'soft', textContent: note.author ? ` by ${note.author}` : '' });
  const text = Object.assign(document.createElement('p'), { textContent: note.text });
  const item = document.createElement('li');
  item.append(name, author, text);
  return item;
}

$('open-form').addEventListener('submit', (event) => {
  event.preventDefault();
  book = $('open-book').value;
  attempt($('open'), openBook);
});

$('write-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt($('save'), async () => {
    const note = { method: 'PUT', body: { text: $('note-text').value } };
    await falconer.json(notesUrl($('note-name').value), note);
    $('write-form').reset();
    await openBook();
  });
});

// ----------------------------------------------------------------------------------------------------------------- page

async function showWho() {
  const { identity, scopes } = await falconer.json('/api/whoami');
  $('who').textContent = identity ? `Signed in as ${identity.displayName}` : 'Signed in, and Notes does not know as whom';
  $('scopes').replaceChildren(...scopes.map((scope) => Object.assign(document.createElement('li'), { textContent: scope })));
}

function showExpiry() {
  const { expiresAt, expiresIn } = falconer;
  if (!expiresAt || expiresIn === 0) return;
  $('expires').dateTime = expiresAt.toISOString();
  $('expires').textContent = expiresAt.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
  // To the nearest, as Falconer's own pages say it: a day that was granted just now would else read as 23 hours.
  const [minutes, hours, days] = [60, 3600, 86_400].map((seconds) => Math.round(expiresIn / seconds));
  const [count, unit] = minutes < 60 ? [Math.max(1, minutes), 'minute'] : hours < 24 ? [hours, 'hour'] : [days, 'day'];
  $('left').textContent = `(${count} ${unit}${count === 1 ? '' : 's'} left)`;
}

function show() {
  $('boot').hidden = true;
  $('signed-out').hidden = falconer.signedIn;
  $('signed-in').hidden = !falconer.signedIn;
  $('book').value = book;
  $('open-book').value = book;
  showExpiry();
}

async function start() {
  show();
  const refused = falconer.signInError;
  if (refused) say(refused.message);
  if (!falconer.signedIn) return;
  falconer.onExpiring(() => { say('The access that you granted ends in less than five minutes.'); $('renew').hidden = false; });
  falconer.onExpiring(() => { say('The access that you granted has ended.'); show(); }, 0);
  setInterval(showExpiry, 30_000);
  await attempt(null, showWho);
  // One message is enough when the first call has already failed.
  if ($('message').hidden) await attempt(null, openBook);
  if (refused && $('message').hidden) say(refused.message);
}

start();
