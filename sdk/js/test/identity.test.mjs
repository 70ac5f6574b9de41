// Who a caller is, by scopes: the one question for which stars count nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPerson, people } from '../falconer.js';
import { vectors } from './support/vectors.mjs';

const cases = vectors('ours/identity-proof');

test('a star proves nobody', () => {
  assert.ok(cases.length >= 18);
  for (const { name, input, expected } of cases) assert.equal(isPerson(input.scopes, input.role), expected, name);
});

test('people of a kind', () => {
  const scopes = ['assume:mozilla-user:ann@a', 'assume:mozilla-user:ann@b', 'assume:mozilla-users:x', 'assume:mozilla-group:*', 'assume:team:*', 'notes:read'];
  assert.deepEqual(people(scopes, 'mozilla-user:'), ['ann@a', 'ann@b']);
  assert.deepEqual(people(scopes, 'team:'), []);
  assert.deepEqual(people(['*'], 'mozilla-user:'), []);
});
