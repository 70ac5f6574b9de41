// The one error that this module throws.

/** What went wrong. `code` is the server's code (`InsufficientScopes`, ...) or one of ours, `status` the HTTP status or 0. */
export class FalconerError extends Error {
  constructor(code, message, { status = 0, body = null, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'FalconerError';
    this.code = code;
    this.status = status;
    this.body = body;
  }
}

export const signedOutMeanwhile = () => new FalconerError('SignedOut', 'Somebody has signed out meanwhile.');
