// Fresh credentials while the page stays: Falconer's page opens in a window of its own, and that window gives the answer to the page that asked.
//
// The state of a renewal is known to the page that asked and to nobody else: it is in no storage, which a new window would get a copy of. The answer goes
// over a channel of that name, so credentials that somebody else has sent find nobody who listens.
import { randomText } from './signing.js';

const RENEWAL = 'renewal.';
const TAKEN_WITHIN_MS = 3000;
const WINDOW = 'popup,width=560,height=780';

export const newRenewal = () => RENEWAL + randomText(24);
export const isRenewal = (state) => typeof state === 'string' && state.startsWith(RENEWAL);

/** The renewals that a page waits for, and the window that is open for them. */
export class Renewals {
  #waiting = [];
  #stop = () => {};

  /**
   * Opens the window and settles with what `take(values, end)` makes of its answer, where `end(error)` ends them. Null where the browser opens none. With the name of a lock
   * one tab has a window at a time.
   */
  ask(state, address, lock, take) {
    let finish;
    const finished = new Promise((resolve) => { finish = resolve; });
    const close = awaitAnswer(state, (values) => {
      finish();
      const waiting = this.#waiting.splice(0);
      take(values, (error) => endAll(waiting, error));
    });
    if (!openWindow(address)) {
      close();
      return null;
    }
    this.#stop();
    this.#stop = () => {
      close();
      finish();
    };
    if (lock) alone(lock, finished, this.#stop);
    return new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }); });
  }

  /** Ends all of them, with an error if there is one. What the window answers is nobody's then. */
  end(error) {
    this.#stop();
    endAll(this.#waiting.splice(0), error);
  }
}

function endAll(waiting, error) {
  for (const { resolve, reject } of waiting) {
    if (error) reject(error);
    else resolve();
  }
}

const channelOf = (state) => new BroadcastChannel(`falconer:${state}`);

/** Opens the window; false where the browser does not let us. Has to be called before anything is waited for: windows open for a press only. */
function openWindow(url) {
  if (!globalThis.BroadcastChannel || !globalThis.open) return false;
  return Boolean(globalThis.open(url, '_blank', WINDOW));
}

/** In the window: gives the answer to the page that asked, and closes. `handedOver` says whether somebody took it. */
export function handOver(values) {
  if (!globalThis.BroadcastChannel) return { handedOver: Promise.resolve(false) };
  const channel = channelOf(values.state);
  const handedOver = new Promise((resolve) => {
    const timer = setTimeout(resolve, TAKEN_WITHIN_MS, false);
    timer.unref?.();
    channel.onmessage = () => {
      clearTimeout(timer);
      resolve(true);
    };
  });
  channel.postMessage(values);
  handedOver.then((taken) => {
    channel.close();
    if (taken) globalThis.close?.();
  });
  return { handedOver };
}

/** In the page that asked: calls `take` with the answer, once. Gives what stops waiting. */
function awaitAnswer(state, take) {
  const channel = channelOf(state);
  channel.onmessage = ({ data }) => {
    channel.postMessage('taken');
    channel.close();
    take(data ?? {});
  };
  return () => channel.close();
}

/**
 * Runs alone among the tabs until `done` settles. A tab that begins later takes over, and `lost` is called here: what the person pressed last counts, and a window
 * that somebody has closed, which no page is told of, holds nobody up.
 */
function alone(name, done, lost) {
  const locks = globalThis.navigator?.locks;
  if (locks) {
    locks.request(name, { steal: true }, () => done).catch(lost);
    return;
  }
  const channel = new BroadcastChannel(name);
  channel.onmessage = () => {
    channel.close();
    lost();
  };
  channel.postMessage('begins');
  done.finally(() => channel.close());
}
