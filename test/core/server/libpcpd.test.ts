/** Walks core/server/libpcpd.md: everything that libpcpd has is in it, and everything that it names is here. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { CGN_FLAGS, CGN_KINDS, memoryCgn } from "../../../core/cgn/index.ts"
import * as core from "../../../core/index.ts"
import { DEFAULT_SETTINGS } from "../../../core/server/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { announce, filter, map, natPmpMap, option, peer, profileWith } from "./scene.ts"
import { Stub } from "./stub.ts"

const ROOT = join(import.meta.dirname, "../../..")
const text = readFileSync(join(ROOT, "core/server/libpcpd.md"), "utf8")
const contract = readFileSync(join(ROOT, "core/cgn/contract.ts"), "utf8")

/** The rows of a section's table, without its head: cells of each. */
const rows = (section: string): readonly (readonly string[])[] => {
  const body = text.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? ""
  return [...body.matchAll(/^\|(.*)\|$/gm)].slice(2).map(([, row]) => row.split("|").map((cell) => cell.trim()))
}

const firsts = (section: string): readonly string[] => rows(section).map(([first]) => first.replaceAll("`", ""))

/** The names of the manual page's prototypes. */
const FUNCTIONS =
  "cgn_init cgn_close cgn_register lib_init lib_close lib_runonce announce update update_recycle uncache strerror id2str"
const METHODS = "recvrequest sendresponse getsubscriber authorize addmapping delmapping adddynamic filter incrcounter"
const prefixed = (names: string): string[] => names.split(" ").map((name) => `pcpd_${name}`)

const has = (object: object, name: string): boolean => Object.hasOwn(object, name)

/** Is there what a code span of the second column names? */
const isThere = (name: string): boolean => {
  const [owner, member] = name.split(".")
  switch (owner) {
    case "Cgn":
      return has(memoryCgn, member)
    case "CgnProfile":
      return CGN_FLAGS.some((flag) => flag === member)
    case "PROFILES":
      return CGN_KINDS.some((kind) => kind === member)
    case "ResultCode":
      return has(ResultCode, member)
    case "Counters":
      return has(new Stub().counters, member)
    case "ServerSettings":
      return has(DEFAULT_SETTINGS, member)
    case "MapAsk":
    case "FilterAsk":
    case "CgnDone":
    case "CgnRefused":
      return new RegExp(`interface ${owner}\\b[^}]*\\breadonly ${member}\\b`).test(contract)
    case "ServerSettingsError":
      return true
    default:
      return member === undefined && has(core, owner)
  }
}

describe("libpcpd's counterpart", () => {
  it("is named for each of the 12 functions, 9 methods, 25 configuration flags, 4 call flags, 19 results and 3 counters", () => {
    assert.deepEqual(firsts("Functions"), prefixed(FUNCTIONS))
    assert.deepEqual(firsts("Methods of the CGN"), prefixed(METHODS))
    assert.equal(firsts("Configuration flags").length, CGN_KINDS.length + CGN_FLAGS.length)
    assert.equal(firsts("Configuration flags").length, 25)
    assert.deepEqual(firsts("Flags of one call"), [
      "PCPD_PREFER_FAILURE",
      "PCPD_CREATE_AS_LOCKED",
      "PCPD_DELETE_FILTERS",
      "PCPD_UNLOCK_ON_SUCCESS",
    ])
    assert.equal(firsts("Results").length, 19)
    assert.deepEqual(firsts("Counters").slice(0, 3), ["PCPS_OPERATION", "PCPS_RESULT", "PCPS_OPTION"])
  })

  it("is there under the name that the table has", () => {
    const missing = [
      ...rows("Functions"),
      ...rows("Methods of the CGN"),
      ...rows("Configuration flags"),
      ...rows("Flags of one call"),
      ...rows("Results"),
      ...rows("Counters"),
    ]
      .flatMap(([, second]) => [...second.matchAll(/`([^`]+)`/g)].map(([, name]) => name))
      .filter((name) => !isThere(name))
    assert.deepEqual(missing, [])
  })

  it("has the profile's switches and kinds in the order of libpcpd's flags, and the 13 protocol errors as on the wire", () => {
    const named = rows("Configuration flags").map(([, second]) => second.replaceAll("`", "").split(".")[1])
    assert.deepEqual(named, [...CGN_KINDS, ...CGN_FLAGS])
    const codes = rows("Results").flatMap(([, second]) => {
      const name = /^`ResultCode\.(\w+)`$/.exec(second)?.[1]
      return Object.entries(ResultCode).flatMap(([key, code]) => (key === name ? [code] : []))
    })
    assert.deepEqual(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  })

  it("counts by operation, result, option, drop and cache", () => {
    const stub = new Stub({}, { profile: profileWith({ cacheCallback: true }) })
    stub.send(map({ options: option(200) }))
    stub.send(announce())
    stub.reply(natPmpMap(1, 4000, 0, 60))
    stub.raw([2])
    const one = (index: number) => [{ index, count: 1 }]
    // What else is counted is nothing of libpcpd's.
    const { operation, result, option: options, drop, cache, ...rest } = stub.counters
    const natPmp = { "natpmp-operation": rest["natpmp-operation"], "natpmp-result": rest["natpmp-result"] }
    assert.deepEqual(
      { operation, result, option: options, ...natPmp, drop, cache },
      {
        operation: [...one(0), ...one(1)],
        result: [{ index: 0, count: 2 }],
        option: one(200),
        "natpmp-operation": one(1),
        "natpmp-result": one(0),
        drop: one(1),
        cache: [{ index: 0, count: 2 }, ...one(1)],
      },
    )
  })

  it("asks each method of the CGN from the request that needs it", () => {
    const stub = new Stub()
    stub.send(map({ options: filter(128, 0, "198.51.100.1") }))
    stub.send(map({ lifetime: 0 }))
    stub.send(peer())
    stub.reply(natPmpMap(1, 0, 0, 0))
    assert.deepEqual(
      stub.asks.map(({ method }) => method),
      ["addMapping", "filter", "delMapping", "addDynamic", "delMappings"],
    )
  })
})
