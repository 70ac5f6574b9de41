// What credentials are: their shape, and what can be read from them.
import { FalconerError } from './error.js';

/** Credentials as they were given, with the certificate read. Throws `BadCredentials`. */
export function checkCredentials(given) {
  const { clientId, accessToken } = given ?? {};
  let { certificate } = given ?? {};
  if (typeof clientId !== 'string' || !clientId || typeof accessToken !== 'string' || !accessToken) {
    throw new FalconerError('BadCredentials', 'The credentials are incomplete: clientId or accessToken is missing.');
  }
  if (typeof certificate === 'string' && certificate) {
    try {
      certificate = JSON.parse(certificate);
    } catch (cause) {
      throw new FalconerError('BadCredentials', 'The certificate of the credentials is not JSON.', { cause });
    }
  }
  const checked = { clientId, accessToken };
  if (certificate) {
    if (typeof certificate !== 'object' || Array.isArray(certificate)) {
      throw new FalconerError('BadCredentials', 'The certificate of the credentials is not an object.');
    }
    checked.certificate = certificate;
  }
  return checked;
}

// Falconer lets a grant begin this long before it is made, for clocks that are behind; but a certificate spans this at most.
const EARLY_MS = 5 * 60 * 1000;
const LONGEST_MS = 31 * 24 * 60 * 60 * 1000;
// Signatures may be 15 minutes off. A clock that is further off than this is worth telling.
const CLOCK_TOLERANCE_MS = 5 * 60 * 1000;

/** What the clock of this computer is behind Falconer's (negative: ahead), as a certificate says that was made a moment ago; 0 where it is about right. */
export function clockOffset(certificate, nowMs) {
  const { start, expiry } = certificate ?? {};
  if (!Number.isFinite(start)) return 0;
  // The longest ones begin later than others, and how much later is not to be seen.
  const madeMs = expiry - start < LONGEST_MS ? start + EARLY_MS : start;
  return Math.abs(madeMs - nowMs) > CLOCK_TOLERANCE_MS ? madeMs - nowMs : 0;
}

/** Whose grant it is and for which host, without which grant: to notice that somebody else has signed in, never to decide what somebody may do. */
export function personOf(credentials) {
  const { clientId } = credentials ?? {};
  return clientId?.includes('/') ? clientId.slice(0, clientId.lastIndexOf('/')) : null;
}

/** `ClockWrong` with a sentence for the person, or null where the clock of this computer is about right. */
export function clockError(offsetMs) {
  if (Math.abs(offsetMs) <= CLOCK_TOLERANCE_MS) return null;
  return new FalconerError('ClockWrong', `The clock of this computer is ${inWords(offsetMs)}. Set it right.`);
}

/** `3 hours ahead`, for what another clock is ahead of this one. */
function inWords(offsetMs) {
  const minutes = Math.round(Math.abs(offsetMs) / 60000);
  const [count, unit] = minutes < 120 ? [minutes, 'minute'] : minutes < 2880 ? [Math.round(minutes / 60), 'hour'] : [Math.round(minutes / 1440), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'} ${offsetMs < 0 ? 'ahead' : 'behind'}`;
}
