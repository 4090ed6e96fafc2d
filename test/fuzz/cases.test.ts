/** The named packets of test/vectors/fuzz-cases.json, each on a server of its own; the file says what its members mean. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createProfile } from "../../core/cgn/index.ts"
import { createServer, mappingCount, process } from "../../core/server/index.ts"
import { type Address, parse, parseAddress, validate } from "../../core/wire/index.ts"
import cases from "../vectors/fuzz-cases.json" with { type: "json" }

/** A packet for a server. */
interface Sent {
  readonly send: string
  readonly config?: {
    readonly thirdParty?: boolean
    readonly ports?: { readonly first: number; readonly last: number }
  }
  readonly side?: string
  readonly before?: readonly string[]
  readonly reply: string | null
  readonly mappings: number
}

/** A packet for whoever listens. */
interface Heard {
  readonly receive: string
  readonly findings: readonly string[]
}

type NamedCase = { readonly id: string; readonly title: string; readonly origin: string } & (Sent | Heard)

const CASES: readonly NamedCase[] = cases.cases

const octets = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))

const hexOf = (bytes: Uint8Array): string => [...bytes].map((octet) => octet.toString(16).padStart(2, "0")).join("")

/** `hex` with a `?` wherever the template has one, so that a difference shows as one of octets. */
const masked = (hex: string, template: string): string =>
  [...hex].map((digit, i) => (template[i] === "?" ? "?" : digit)).join("")

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

const serve = (one: Sent) => {
  const { external, ...settings } = cases.configuration
  const profile = createProfile("nat444", { thirdParty: one.config?.thirdParty === true })
  assert.ok(profile.ok)
  const made = createServer({
    external: external.map(address),
    secret: new Uint8Array(32).fill(5),
    now: 0,
    profile: profile.profile,
    threatModel: "advanced",
    minLifetime: settings.minLifetime,
    maxLifetime: settings.maxLifetime,
    shortError: settings.shortError,
    longError: settings.longError,
    ports: one.config?.ports ?? settings.ports,
  })
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  let { state } = made
  return {
    send: (hex: string, side: "inside" | "outside" = "inside"): string | null => {
      // In the middle of other octets: nothing before or behind the payload may show.
      const payload = octets(hex)
      const around = new Uint8Array(payload.length + 200).fill(0xa5)
      around.set(payload, 100)
      const bytes = around.subarray(100, 100 + payload.length)
      const [next, { reply }] = process(state, { bytes, now: 1000, source: address(cases.source), sourcePort: 4, side })
      state = next
      assert.equal(hexOf(bytes), hex, "the request is left as it is")
      return reply === undefined ? null : hexOf(reply)
    },
    mappings: (): number => mappingCount(state),
  }
}

describe("named packets", () => {
  test("each has a name of its own, and all are there", () => {
    assert.equal(new Set(CASES.map(({ id }) => id)).size, CASES.length)
    assert.ok(CASES.length >= 180)
  })

  for (const one of CASES) {
    test(`${one.id}: ${one.title}`, () => {
      if ("receive" in one) {
        const findings = validate(octets(one.receive), undefined)
        assert.deepEqual(
          findings.map(({ code }) => code),
          one.findings,
        )
        return
      }
      const server = serve(one)
      for (const earlier of one.before ?? []) assert.equal(server.send(earlier)?.slice(6, 8), "00")
      const reply = server.send(one.send, one.side === "outside" ? "outside" : "inside")
      assert.equal(reply === null || one.reply === null ? reply : masked(reply, one.reply), one.reply, one.origin)
      assert.equal(server.mappings(), one.mappings)
      // Whatever reads it besides comes to an end with it.
      parse(octets(one.send))
      validate(octets(one.send))
    })
  }
})
