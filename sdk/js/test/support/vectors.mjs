// The repository's cases, by the name of their file.
import { readFileSync } from 'node:fs';

export const repository = new URL('../../../../', import.meta.url);
export const vectors = (name) => JSON.parse(readFileSync(new URL(`vectors/${name}.json`, repository), 'utf8'));
