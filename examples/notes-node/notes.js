// A small notes service that Falconer protects, with Express. It keeps each note in a file.
//
//   FALCONER=https://auth.example.com ORIGIN=https://notes.example.com node notes.js
//
// It listens on 127.0.0.1:8082, or where LISTEN says, and keeps its notes in the folder notes, or where NOTES says. Scopes: `notes:read:<book>`, `notes:write:<book>`.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import express from 'express';
import { Guard, SettingsError, callerOf } from 'falconer/express';

const LONGEST = 10_000;

/** Notes in a folder a book. Names become names of files that no other name has, and that lead nowhere else. */
class Notes {
  constructor(folder) {
    this.folder = folder;
  }

  #path(...names) {
    return join(this.folder, ...names.map((name) => Buffer.from(name).toString('base64url')));
  }

  async #names(...below) {
    const found = await readdir(this.#path(...below)).catch(nothing([]));
    // What is being written has a dot at the front.
    return found.filter((file) => !file.startsWith('.')).map((file) => Buffer.from(file, 'base64url').toString()).sort();
  }

  books() {
    return this.#names();
  }

  async of(book) {
    const notes = await Promise.all((await this.#names(book)).map((name) => readFile(this.#path(book, name), 'utf8').catch(nothing(null))));
    return notes.filter((text) => text !== null).map((text) => JSON.parse(text));
  }

  /** A note is whole or not there: it is written aside first. */
  async put(book, note) {
    await mkdir(this.#path(book), { recursive: true });
    const aside = join(this.#path(book), `.${randomUUID()}`);
    await writeFile(aside, JSON.stringify(note));
    await rename(aside, this.#path(book, note.name));
  }

  /** Whether there was one. */
  remove(book, name) {
    return rm(this.#path(book, name)).then(() => true, nothing(false));
  }
}

/** What to take where a file or folder is not there. */
const nothing = (value) => (error) => {
  if (error.code === 'ENOENT') return value;
  throw error;
};

/** The service. `rootUrl` is Falconer's, `origin` is where callers reach the service: it is what they sign. */
export function application({ rootUrl, origin, folder }) {
  const [app, notes] = [express().disable('x-powered-by'), new Notes(folder)];
  const guard = new Guard({ rootUrl, origin, payloadHashRequired: true, identity: true });
  const routes = guard.on(app);

  app.get('/books', guard.identify(), async (request, response) => {
    const books = (await notes.books()).slice(0, 1000);
    // One question for the whole list: the caller sees the books that the caller may read.
    const allowed = await callerOf(request).hasEach(books.map((book) => `notes:read:${book}`));
    response.json(books.filter((_, index) => allowed[index]));
  });

  routes.get('/books/:book/notes', 'notes:read:<book>', async (request, response) => {
    response.json(await notes.of(request.params.book));
  });

  // PUT of a whole note under its name: made twice, it does no harm, so a request that is repeated does none either.
  routes.put('/books/:book/notes/:name', 'notes:write:<book>', express.json(), async (request, response) => {
    const { book, name } = request.params;
    const text = request.body?.text;
    if (typeof text !== 'string' || text.length > LONGEST || Buffer.byteLength(book) > 100 || Buffer.byteLength(name) > 100) {
      response.status(422).json({ message: `A note is {"text"}, of at most ${LONGEST} characters, and its names are short.` });
      return;
    }
    // Who it was: only if the person agreed to tell. The clientId is for the log.
    const note = { name, text, author: callerOf(request).identity?.id ?? null };
    await notes.put(book, note);
    response.json(note);
  });

  routes.delete('/books/:book/notes/:name', 'notes:write:<book>', async (request, response) => {
    if (await notes.remove(request.params.book, request.params.name)) response.status(204).end();
    else response.status(404).json({ message: 'There is no such note.' });
  });

  app.use(guard.errors());
  // Everything else that goes wrong: its text is for the log.
  app.use((error, request, response, _next) => {
    const status = error.status >= 400 && error.status < 500 ? error.status : 500;
    if (status === 500) console.error(error);
    response.status(status).json({ message: status === 500 ? 'Something went wrong here.' : 'The request cannot be read.' });
  });
  return app;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const stop = (text) => {
    console.error(text);
    process.exit(1);
  };
  const { FALCONER, ORIGIN, NOTES = 'notes', LISTEN = '127.0.0.1:8082' } = process.env;
  const [, host, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(LISTEN) ?? stop(`LISTEN: ${LISTEN} is no address and port such as 127.0.0.1:8082.`);
  try {
    const server = application({ rootUrl: FALCONER, origin: ORIGIN, folder: NOTES }).listen(Number(port), host, (error) => {
      if (error) stop(`LISTEN: ${error.message}`);
      console.log(`bound to ${host}:${server.address().port}, for calls to ${ORIGIN}`);
    });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    stop(`FALCONER or ORIGIN: ${error.message}`);
  }
}
