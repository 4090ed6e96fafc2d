import assert from "node:assert/strict"

/** How often it is asked: by a process each time, which takes a fifth of a second at the least. */
const TRIES = 200

/** Asks again until this is the answer; when it never is, fails with the one that came last. */
export const eventually = async (asked: () => Promise<string>, expected: string): Promise<void> => {
  let answer = await asked()
  for (let tries = 1; answer !== expected && tries < TRIES; tries++) answer = await asked()
  assert.equal(answer, expected, `${TRIES} times asked`)
}
