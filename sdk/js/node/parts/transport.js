// The way to Falconer: connections that are kept, an end of the time, answers of a bounded size. Redirects are not followed.

import http from 'node:http';
import https from 'node:https';
import { Strange } from './question.js';

const LARGEST_ANSWER = 16 * 1024 * 1024;
const FAILURES = 5;
const PAUSE_MS = 1000;

export class Transport {
  #http;
  #agent;
  #own;
  #timeoutMs;

  /** `agent`: an Agent of node:http or node:https of the service's own, for certificates or proxies. */
  constructor(rootUrl, { agent, timeoutMs }) {
    this.#http = rootUrl.startsWith('https:') ? https : http;
    this.#own = agent === undefined;
    this.#agent = agent ?? new this.#http.Agent({ keepAlive: true, maxSockets: 100, maxFreeSockets: 20 });
    this.#timeoutMs = timeoutMs;
  }

  /** `{status, text}` of the answer to a question, as it was written. Throws Strange. */
  async post(url, body, more = {}) {
    const until = Date.now() + this.#timeoutMs;
    try {
      return await this.#once(url, body, more, this.#timeoutMs);
    } catch (error) {
      // A kept connection that the other side has closed meanwhile. The question changes nothing, so that it is asked once more.
      if (!error.again) throw error;
      return this.#once(url, body, more, Math.max(1, until - Date.now()));
    }
  }

  #once(url, body, more, timeoutMs) {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, Accept: 'application/json', ...more };
      const request = this.#http.request(url, { method: 'POST', agent: this.#agent, headers });
      // Who waited for a connection that others hold learned nothing of Falconer: many strangers at once would shut everybody out.
      let connected = false;
      request.on('socket', () => { connected = true; });
      const timer = setTimeout(() => fail(new Strange('it takes too long', { away: connected })), timeoutMs);
      const fail = (error) => {
        clearTimeout(timer);
        reject(error);
        request.destroy();
      };
      const broken = (cause) => {
        const error = new Strange(cause.code ?? cause.message, { away: true, cause });
        error.again = request.reusedSocket && cause.code === 'ECONNRESET';
        fail(error);
      };
      request.on('error', broken);
      request.on('response', (response) => {
        const parts = [];
        let size = 0;
        response.on('error', broken);
        response.on('data', (part) => {
          size += part.length;
          if (size > LARGEST_ANSWER) fail(new Strange('its answer is too large'));
          else parts.push(part);
        });
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() });
        });
      });
      request.end(body);
    });
  }

  /** Closes the connections that are kept. */
  close() {
    if (this.#own) this.#agent.destroy();
  }
}

/**
 * When Falconer is away, callers are told at once instead of after a timeout each: after five failures in a row nothing is asked for a second; then one question tries,
 * while the others are still refused.
 */
export class Breaker {
  #now;
  #failures = 0;
  #until = 0;

  constructor(now) {
    this.#now = now;
  }

  /** Whether this question goes out. Who is told so reports how it went. */
  mayAsk() {
    if (this.#failures < FAILURES) return true;
    const now = this.#now();
    if (now < this.#until) return false;
    // This one tries. Should nobody report what it found, another one tries after the same pause.
    this.#until = now + PAUSE_MS;
    return true;
  }

  /** How a question went. */
  report(answered) {
    this.#failures = answered ? 0 : this.#failures + 1;
    if (!answered) this.#until = this.#now() + PAUSE_MS;
  }
}
