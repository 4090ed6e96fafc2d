import { describe, it } from "node:test"
import type { Capability, Case, Kind } from "../../adapters/conformance/case.ts"
import { loadKit } from "../../adapters/conformance/load.ts"
import { playCase } from "../vectors/play.ts"

const { cases, variables } = loadKit()
const title = ({ requirements, id, title: text, clause }: Case): string =>
  `${requirements.join(" ")} ${id}: ${text} (${clause})`

describe("the conformance vectors, in process", () => {
  for (const test of cases) {
    const kind = test.kinds?.[0] ?? "nat444"
    it(title(test), () => playCase(test, kind, variables[kind]))
  }
})

/** What devices of other kinds do not offer, of what a case may need. */
const OTHERS: readonly { readonly kind: Kind; readonly lacks: readonly Capability[] }[] = [
  { kind: "nat64", lacks: ["nat-pmp"] },
  { kind: "l2dslite", lacks: ["nat-pmp"] },
  { kind: "firewall4", lacks: ["nat-pmp", "peer", "description"] },
  { kind: "firewall6", lacks: ["nat-pmp", "peer", "description"] },
]

for (const { kind, lacks } of OTHERS)
  describe(`the conformance vectors, in process, ${kind}`, () => {
    for (const test of cases) {
      const first = test.kinds?.[0] ?? "nat444"
      const applies = test.kinds === undefined || test.kinds.includes(kind)
      const met = test.inProcess === undefined && !test.needs?.some((capability) => lacks.includes(capability))
      if (first !== kind && applies && met) it(title(test), () => playCase(test, kind, variables[kind]))
    }
  })
