// What a person has typed, kept in this tab while the page is left for Falconer.
import { FalconerError } from './error.js';

const KEPT = 'falconer:kept:';
const KEPT_MAX_AGE_MS = 24 * 60 * 60 * 1000;
const KEPT_MAX_LENGTH = 256 * 1024;
// What these hold is a secret, or none of the person's words.
const LEFT_OUT = new Set(['password', 'file', 'hidden', 'submit', 'button', 'image', 'reset', 'fieldset', 'output', 'object']);
const SECRET = /password|one-time-code|(^|\s)cc-/;

const keyOf = (name) => `${KEPT}${globalThis.location?.pathname ?? ''}:${name}`;

/** A form as something that can be read and written. Secrets stay out. */
export function ofForm(form) {
  const nameOf = (field) => field.name || field.id;
  const fields = () => [...form.elements].filter((field) => nameOf(field) && !isLeftOut(field));
  return {
    read: () => fields().map((field) => [nameOf(field), field.type, valueOf(field)]),
    write: (kept) => {
      const left = fields();
      for (const [name, type, value] of kept) {
        const at = left.findIndex((field) => nameOf(field) === name && field.type === type && (type !== 'radio' || field.value === value[1]));
        if (at >= 0) fill(left.splice(at, 1)[0], value);
      }
    },
  };
}

function isLeftOut(field) {
  return !field.type || LEFT_OUT.has(field.type) || SECRET.test(field.autocomplete ?? '') || field.dataset?.keep === 'never';
}

function valueOf(field) {
  if (field.type === 'checkbox' || field.type === 'radio') return [field.checked, field.value];
  if (field.type === 'select-multiple') return [...field.options].filter((option) => option.selected).map((option) => option.value);
  return field.value;
}

function fill(field, value) {
  if (field.type === 'checkbox' || field.type === 'radio') [field.checked] = value;
  else if (field.type === 'select-multiple') for (const option of field.options) option.selected = value.includes(option.value);
  else field.value = value;
  for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, { bubbles: true }));
}

/** Writes down what is in all of them. Throws `NoStorage` rather than lose it. */
export function keepAll(kept, person) {
  for (const [name, { read }] of kept) {
    const text = JSON.stringify({ at: Date.now(), person, value: read() });
    try {
      if (text.length > KEPT_MAX_LENGTH) throw new RangeError(`${text.length} characters are too many`);
      globalThis.sessionStorage.setItem(keyOf(name), text);
    } catch (cause) {
      throw new FalconerError('NoStorage', 'What you have typed cannot be kept while this page is left. Save it first.', { cause });
    }
  }
}

/** Writes back what was kept under this name, once, and only for the same person. */
export function giveBack(name, { write }, person) {
  let kept = null;
  try {
    kept = JSON.parse(globalThis.sessionStorage.getItem(keyOf(name)));
    globalThis.sessionStorage.removeItem(keyOf(name));
  } catch {
    // No storage, or nothing of ours in it.
  }
  if (!(kept?.at > Date.now() - KEPT_MAX_AGE_MS)) return;
  if (kept.person && person && kept.person !== person) return;
  write(kept.value);
}

/** Forgets all that was kept in this tab. */
export function forgetAll() {
  try {
    const { sessionStorage } = globalThis;
    const names = Array.from({ length: sessionStorage.length }, (_, index) => sessionStorage.key(index));
    for (const name of names) if (name.startsWith(KEPT)) sessionStorage.removeItem(name);
  } catch {
    // No storage: nothing was kept.
  }
}
