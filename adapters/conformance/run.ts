import { type Address, ANY4, ANY6, isIpv4, readAddress } from "../../core/wire/index.ts"
import type { Endpoint, Udp } from "../udp.ts"
import { makeBindings, type Variables } from "./binding.ts"
import { type Capability, type Case, isRequest, type Kind, type RequestStep } from "./case.ts"
import { makeCleanup } from "./cleanup.ts"
import { type Answer, type Asker, makeAsker, ownAddress, type Pace } from "./exchange.ts"
import type { Kit } from "./load.ts"
import { probe } from "./probe.ts"
import { type Bindings, fill, match, wantedText } from "./template.ts"
import { broken } from "./where.ts"

/** One request of a case that failed, with what was wanted of its answer. */
export interface FailedStep {
  /** From 1. */
  readonly step: number
  /** The octets that were sent. */
  readonly request: Uint8Array
  /** Templates, any of which would do; `null` is no answer. */
  readonly wanted: readonly (string | null)[]
  /** What came instead. */
  readonly got: Answer
  /** Variables as they were then. */
  readonly bindings: Bindings
  /** What is wrong, in sentences. */
  readonly faults: readonly string[]
}

/** What became of a case: passed, failed, or nothing to try on this server. */
export type Outcome =
  | { readonly outcome: "pass" }
  | { readonly outcome: "fail"; readonly failed: FailedStep }
  | { readonly outcome: "not applicable"; readonly reason: string }

/** A case and what became of it. */
export interface CaseResult {
  /** The case. */
  readonly test: Case
  /** What became of it. */
  readonly result: Outcome
}

/** Which server, and how it is asked. */
export interface RunOptions {
  /** Where the server answers. */
  readonly server: Endpoint
  /** What kind of device it is said to be. */
  readonly kind: Kind
  /** Our own addresses on the server's inside: the first asks, the second is another host. None: as the system chooses. */
  readonly clients: readonly Address[]
  /** How fast it is asked, and how patiently. */
  readonly pace: Pace
  /** Milliseconds after which no case is begun. */
  readonly limit: number
  /** Which cases; all when left out. */
  readonly only?: (test: Case) => boolean
  /** That many octets, for nonces. */
  readonly random: (length: number) => Uint8Array
  /** Called after each case, in order. */
  readonly progress?: (result: CaseResult, done: number, all: number) => void
}

/** What a run shows, or why there was none. */
export type RunResult =
  | {
      readonly ok: true
      readonly capabilities: ReadonlySet<Capability>
      readonly results: readonly CaseResult[]
      /** Why the run ended before its end. */
      readonly stopped: "silent" | "limit" | undefined
      /** Datagrams sent. */
      readonly sent: number
      /** PEER mappings made: nobody can delete them. */
      readonly peers: number
      /** Deletions of our own mappings that got no answer. */
      readonly left: number
    }
  | { readonly ok: false; readonly reason: "silent" | "address"; readonly text: string }

/** Longest wait of a case that is run from outside, milliseconds. */
const LONGEST = 5000

/** Why a case says nothing of this server; `undefined`: it does. */
const inapplicable = (test: Case, kind: Kind, has: ReadonlySet<Capability>): string | undefined => {
  if (test.inProcess !== undefined) return test.inProcess
  if (test.kinds !== undefined && !test.kinds.includes(kind)) return `not for ${kind}`
  const needs = test.needs?.filter((capability) => !has.has(capability)) ?? []
  if (needs.length > 0)
    return needs.includes("second-host") ? "needs a second address of ours" : `no ${needs.join(", ")}`
  const unwanted = test.lacks?.filter((capability) => has.has(capability)) ?? []
  if (unwanted.length > 0) return `the server has ${unwanted.join(", ")}`
  if (test.steps.some((step) => !isRequest(step))) return "has steps that only the server's side can take"
  if (test.steps.some(({ at = 0 }) => at > LONGEST)) return "takes too long"
  return undefined
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Runs all cases that apply against a server, one request at a time. The server is left as it was, but for PEER mappings. */
export const run = async (kit: Kit, udp: Udp, options: RunOptions): Promise<RunResult> => {
  const { server, kind, clients, pace, limit, only = () => true, random, progress } = options
  const own = clients.at(0)
  const found =
    own === undefined
      ? await ownAddress(udp, server, isIpv4(server.address) ? ANY4 : ANY6)
      : { ok: true as const, value: own }
  if (!found.ok) return { ok: false, reason: "address", text: found.error.text }
  const client = found.value
  const variables = makeBindings(kit, kind, { client, second: clients.at(1), server: server.address }, random)
  const asker = makeAsker(udp, server, pace, variables.heard)
  const cleanup = makeCleanup(asker)
  const probed = await probe(asker, client, variables, cleanup)
  if (probed.silent) return { ok: false, reason: "silent", text: probed.text }
  const capabilities = new Set(probed.capabilities)
  if (clients.length > 1) capabilities.add("second-host")

  const cases = kit.cases.filter(only)
  const results: CaseResult[] = []
  const end = Date.now() + limit
  let stopped: "silent" | "limit" | undefined
  let left = 0
  for (const test of cases) {
    const reason = inapplicable(test, kind, capabilities)
    let result: Outcome
    if (reason !== undefined) result = { outcome: "not applicable", reason }
    else if (stopped !== undefined) result = { outcome: "not applicable", reason: "the run had ended" }
    else {
      result = await runCase(asker, test, variables.next(), cleanup.note)
      left += await cleanup.clean()
      if (result.outcome === "fail" && result.failed.got.kind !== "reply" && !(await isAlive(asker, client, variables)))
        stopped = "silent"
      if (Date.now() > end) stopped ??= "limit"
    }
    const done = { test, result }
    results.push(done)
    progress?.(done, results.length, cases.length)
  }
  return { ok: true, capabilities, results, stopped, sent: asker.sent(), peers: cleanup.peers(), left }
}

/** Is anything of PCP or NAT-PMP answered still? */
const isAlive = async (asker: Asker, client: Address, variables: Variables): Promise<boolean> => {
  for (const send of ["02 00 0000 00000000 {client}", "0000"]) {
    const filled = fill(send, variables.next())
    if (!filled.ok || !("bytes" in filled)) continue
    if ((await asker.ask(filled.bytes, client, true)).kind === "reply") return true
  }
  return false
}

const runCase = async (
  asker: Asker,
  test: Case,
  variables: Bindings,
  note: (request: Uint8Array, reply: Uint8Array, from: Address) => void,
): Promise<Outcome> => {
  const start = Date.now()
  let bindings = variables
  for (const [i, step] of test.steps.entries()) {
    if (!isRequest(step)) continue
    if (step.at !== undefined && Date.now() < start + step.at) await sleep(start + step.at - Date.now())
    const filled = fill(step.send, bindings)
    if (!filled.ok || !("bytes" in filled)) return { outcome: "not applicable", reason: "its template can't be filled" }
    const request = filled.bytes
    const from = readAddress(bindings.get(step.from ?? "client") ?? new Uint8Array(16), 0)
    const wanted = wantedOf(step)
    const got = await asker.ask(request, from, !wanted.includes(null))
    if (got.kind === "reply") note(request, got.bytes, from)
    const judged = judge(step, wanted, got, bindings)
    if (judged.faults.length > 0)
      return { outcome: "fail", failed: { step: i + 1, request, wanted, got, bindings, faults: judged.faults } }
    bindings = judged.bindings
  }
  return { outcome: "pass" }
}

const wantedOf = ({ expect }: RequestStep): readonly (string | null)[] =>
  typeof expect === "string" || expect === null ? [expect] : expect

const judge = (
  step: RequestStep,
  wanted: readonly (string | null)[],
  got: Answer,
  bindings: Bindings,
): { readonly faults: readonly string[]; readonly bindings: Bindings } => {
  if (got.kind === "unreachable") return { faults: [got.text], bindings }
  if (got.kind === "silence") return { faults: wanted.includes(null) ? [] : ["no answer came"], bindings }
  const tried = wanted.flatMap((template) => (template === null ? [] : [match(template, got.bytes, bindings)]))
  const met = tried.find(({ ok }) => ok)
  if (met !== undefined) return { faults: broken(step.where ?? [], met.bindings), bindings: met.bindings }
  if (tried.length === 0) return { faults: ["an answer came where none was wanted"], bindings }
  return { faults: tried.flatMap((one) => (one.ok ? [] : one.mismatches.map(({ text }) => text))), bindings }
}

/** The templates of a failed step in hex, `..` for octets of any value. */
export const wantedTexts = ({ wanted, bindings }: FailedStep): readonly string[] =>
  wanted.map((template) => (template === null ? "no answer" : wantedText(template, bindings)))
