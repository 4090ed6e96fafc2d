import { describe, it } from "node:test"
import { loadKit } from "../../adapters/conformance/load.ts"
import { playCase } from "../vectors/play.ts"

const { cases, variables } = loadKit()

describe("the conformance vectors, in process", () => {
  for (const test of cases) {
    const kind = test.kinds?.[0] ?? "nat444"
    it(`${test.requirements.join(" ")} ${test.id}: ${test.title} (${test.clause})`, () =>
      playCase(test, kind, variables[kind]))
  }
})
