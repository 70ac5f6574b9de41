// Passkeys. A form with data-passkey has a browser ask its authenticator, and is sent with the answer. Without this file everything else works: such a
// form stays hidden, and a name and a password, or a recovery code, sign in.
{
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const key = (id) => ({ type: 'public-key', id: bytes(id) });
  let waiting;

  async function get(form, options) {
    waiting?.abort();
    waiting = new AbortController();
    const { challenge, rp } = form.dataset;
    const publicKey = { challenge: bytes(challenge), rpId: rp, userVerification: 'required' };
    const { id, response } = await navigator.credentials.get({ publicKey, signal: waiting.signal, ...options });
    return {
      id,
      client_data: text(response.clientDataJSON),
      authenticator_data: text(response.authenticatorData),
      signature: text(response.signature),
      user: response.userHandle ? text(response.userHandle) : '',
    };
  }

  async function create(form) {
    const { challenge, rp, user, name, displayName, exclude, algorithms } = form.dataset;
    const publicKey = {
      challenge: bytes(challenge),
      rp: { id: rp, name: 'Falconer' },
      user: { id: bytes(user), name, displayName },
      pubKeyCredParams: algorithms.split(' ').map((alg) => ({ type: 'public-key', alg: Number(alg) })),
      excludeCredentials: exclude.split(' ').filter(Boolean).map(key),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
      extensions: { credProps: true },
    };
    const made = await navigator.credentials.create({ publicKey });
    return {
      id: made.id,
      client_data: text(made.response.clientDataJSON),
      attestation: text(made.response.attestationObject),
      transports: made.response.getTransports?.().join(',') ?? '',
      resident: made.getClientExtensionResults().credProps?.rk === false ? 'no' : 'yes',
    };
  }

  function send(form, answer) {
    for (const [name, value] of Object.entries(answer)) form.elements.namedItem(name).value = value;
    form.submit();
  }

  function tell(form, error) {
    // Another question took the place of this one, or nothing was chosen where nothing had to be.
    if (error.name === 'AbortError') return;
    form.querySelector('[data-told]').textContent = error.name === 'InvalidStateError'
      ? 'This device has a passkey for this account already.'
      : 'No passkey was used. You can try again, or take another way.';
  }

  if (window.PublicKeyCredential) {
    for (const form of document.querySelectorAll('form[data-passkey]')) {
      form.hidden = false;
      const ask = form.dataset.passkey === 'create' ? create : get;
      form.addEventListener('submit', async (event) => {
        event.preventDefault();
        form.querySelector('[data-told]').textContent = '';
        try {
          send(form, await ask(form));
        } catch (error) {
          tell(form, error);
        }
      });
    }
    const form = document.querySelector('form[data-passkey=get][data-conditional]');
    if (form) {
      PublicKeyCredential.isConditionalMediationAvailable?.()
        .then(async (available) => { if (available) send(form, await get(form, { mediation: 'conditional' })); })
        .catch(() => {});
    }
  }
}
