// The end of a grant: waiting for it, and bringing it about.
import { call } from './calls.js';
import { authorization, payloadHash } from './signing.js';

const TIMER_STEP_MS = 30 * 1000;

/** Calls `callback` once for each credentials, when `look()` says that nothing is left: `{token, left}` in seconds, or null. Returns a function that stops waiting. */
export function watchEnd(look, callback) {
  let timer;
  let stopped = false;
  let lastExpiring = null;
  const step = () => {
    if (stopped) return;
    const { token, left } = look() ?? { token: lastExpiring, left: 0 };
    if (left <= 0 && lastExpiring !== token) {
      lastExpiring = token;
      callback();
    }
    // In steps: a laptop that slept, a clock that was set, or fresh credentials must not make a long timer late.
    wait(left > 0 && Number.isFinite(left) ? Math.min(left * 1000, TIMER_STEP_MS) : TIMER_STEP_MS);
  };
  const wait = (milliseconds) => {
    if (stopped) return;
    timer = setTimeout(step, milliseconds);
    timer.unref?.();
  };
  wait(0);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** What a check says of credentials whose grant is over. */
const GRANT_IS_OVER = ['grant-revoked', 'grant-ended', 'grant-unknown', 'certificate-expired'];

/** Has Falconer end the grant of these credentials, and finds out with `check` what became of it where that failed: 'ended', 'counts' or 'unknown'. */
export async function endGrant(rootUrl, credentials, seconds, check) {
  const address = `${rootUrl}/api/falconer/v1/end-grant`;
  // Once more by a better clock, or because the first answer was lost.
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      await call(address, undefined, { authorization: await authorization(credentials, 'POST', address, { ts: seconds(), hash: await payloadHash('', '') }) });
      return 'ended';
    } catch {
      // The refusal of a call does not tell whether the grant counts still.
    }
    try {
      const answer = await check();
      if (answer?.status === 'failed' && GRANT_IS_OVER.includes(answer.reason)) return 'ended';
    } catch {
      return 'unknown';
    }
  }
  return 'counts';
}
