import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { memoryCgn, type Rule } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { map as mapBytes, natPmpMap, option, peer as peerBytes, thirdParty } from "../server/scene.ts"
import { address, cgnWith, host } from "./scene.ts"

const YES = ResultCode.SUCCESS
const NO = ResultCode.NOT_AUTHORIZED

const said = (rules: readonly Rule[], bytes: readonly number[], source = host(1), at = 0): number =>
  memoryCgn.authorize(cgnWith({ rules }), Uint8Array.from(bytes), source, at)

const net = (text: string, prefixLength: number) => ({ address: address(text), prefixLength })
const deny: Rule = { allow: false }

test("the first rule that matches decides, and what none matches is allowed", () => {
  assert.equal(said([], mapBytes()), YES)
  assert.equal(said([deny], mapBytes()), NO)
  assert.equal(said([{ allow: true }, deny], mapBytes()), YES)
  assert.equal(said([{ allow: false, protocol: 6 }], mapBytes()), YES)
})

test("each field of a rule is met by what the request has there, PCP's or NAT-PMP's", () => {
  const only = (rule: Partial<Rule>): readonly Rule[] => [{ allow: true, ...rule }, deny]
  for (const [rule, yes, no] of [
    [{ protocol: 17 }, mapBytes(), mapBytes({ protocol: 6 })],
    [{ protocol: 6 }, natPmpMap(2, 80, 0, 60), natPmpMap(1, 80, 0, 60)],
    [{ opcode: 2 }, peerBytes(), mapBytes()],
    [{ opcode: 1 }, natPmpMap(1, 80, 0, 60), [0, 0]],
    [{ internalPorts: { first: 4000, last: 4001 } }, mapBytes({ port: 4001 }), mapBytes({ port: 4002 })],
    [{ internalPorts: { first: 80, last: 80 } }, natPmpMap(1, 80, 0, 60), natPmpMap(1, 81, 0, 60)],
    [
      { externalPorts: { first: 1024, last: 2048 } },
      mapBytes({ suggestedPort: 2048 }),
      mapBytes({ suggestedPort: 80 }),
    ],
    [{ option: 128 }, mapBytes({ options: option(128, [65]) }), mapBytes()],
  ] as const) {
    assert.equal(said(only(rule), yes), YES, JSON.stringify(rule))
    assert.equal(said(only(rule), no), NO, JSON.stringify(rule))
  }
})

test("no suggested port fits a rule that allows a range and none that denies one", () => {
  const externalPorts = { first: 1, last: 1023 }
  assert.equal(said([{ allow: false, externalPorts }], mapBytes()), YES)
  assert.equal(said([{ allow: true, externalPorts }, deny], mapBytes()), YES)
  assert.equal(said([{ allow: false, externalPorts }], mapBytes({ suggestedPort: 1023 })), NO)
})

test("S-101 clients are who asks, internal whom it is for, and a mandatory option that is denied is UNSUPP_OPTION", () => {
  const bytes = mapBytes({ options: thirdParty("10.9.9.9") })
  assert.equal(said([{ allow: false, clients: net("10.0.0.0", 104) }], bytes, host(1), 60), NO)
  assert.equal(said([{ allow: false, clients: net("10.9.9.9", 128) }], bytes, host(1), 60), YES)
  assert.equal(said([{ allow: false, internal: net("10.9.0.0", 112) }], bytes, host(1), 60), NO)
  assert.equal(said([{ allow: false, internal: net("10.9.0.0", 112) }], mapBytes()), YES)
  assert.equal(said([{ allow: false, option: 1 }], bytes, host(1), 60), ResultCode.UNSUPP_OPTION)
  assert.equal(
    said(
      [
        { allow: true, option: 1, clients: net("10.0.0.1", 128) },
        { allow: false, option: 1 },
      ],
      bytes,
    ),
    YES,
  )
})

test("any octets are judged", () => {
  const rules: readonly Rule[] = [
    { allow: true, option: 1, internalPorts: { first: 1, last: 9 } },
    { allow: false, externalPorts: { first: 5, last: 70 }, protocol: 6, internal: net("10.0.0.0", 104) },
  ]
  const state = cgnWith({ rules })
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 200 }), fc.nat(210), (bytes, at) => {
      assert.ok([YES, NO].some((code) => code === memoryCgn.authorize(state, bytes, host(1), at)))
    }),
  )
})
