import type { Counters, Page, Realm } from "../../../core/cgn/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import type { Clock } from "../../host.ts"
import { countersOf } from "../counter-names.ts"
import { mappingRecord } from "../entry-json.ts"
import type { KernelCheck } from "../kernel/kernel.ts"
import { secondsLeft } from "../mapping-text.ts"
import type { Read } from "../read.ts"
import { wallClock } from "../wall-clock.ts"
import { type Answers, type ControlRequest, readRequest } from "./request.ts"

/** What a running server can be asked and told. */
export interface ControlTarget {
  /** A page of its live mappings: rows after `after`, 0 from the start. */
  page(after: number, limit: number): Page | Promise<Page>
  counters(): Counters | Promise<Counters>
  /** Has it announce its epoch. */
  announce(): void | Promise<void>
  /** Deletes all mappings of a host and gives how many those were; or says why it does not. */
  revoke(internal: Address, realm: Realm | undefined): Read<number> | Promise<Read<number>>
  /** Holds what the kernel has against what the server has, and mends it; `undefined`: the server has no kernel behind it. */
  readonly check: (() => Promise<Read<KernelCheck>>) | undefined
}

/** Mappings in one page: some milliseconds, and between two pages the server answers clients. */
const PAGE = 500

/** Answers what a running server is asked. Nonces are in no answer. */
export const controlAnswer = (target: ControlTarget, clock: Clock): Answers<ControlRequest> => {
  const wall = wallClock(clock)
  const answer: Answers<ControlRequest>["answer"] = async function* (request) {
    switch (request.command) {
      case "mappings": {
        let count = 0
        for (let after: number | undefined = 0; after !== undefined; ) {
          const page: Page = await target.page(after, PAGE)
          const now = clock.now()
          count += page.mappings.length
          after = page.after
          yield page.mappings.map((mapping) => ({
            ...mappingRecord(mapping, wall),
            left: secondsLeft(mapping, now) ?? null,
          }))
          await new Promise((resolve) => setImmediate(resolve))
        }
        yield [{ end: true, count }]
        return
      }
      case "counters": {
        yield countersOf(await target.counters()).map(({ vector, index, name, count }) => ({
          vector,
          index,
          name,
          count,
        }))
        yield [{ end: true }]
        return
      }
      case "announce": {
        await target.announce()
        yield [{ end: true }]
        return
      }
      case "revoke": {
        const revoked = await target.revoke(request.internal, request.realm)
        yield [revoked.ok ? { end: true, deleted: revoked.value } : { error: revoked.text }]
        return
      }
      case "check": {
        if (target.check === undefined) {
          yield [{ error: "this server has no kernel behind it: serve --nftables" }]
          return
        }
        const checked = await target.check()
        yield [checked.ok ? { end: true, ...checked.value } : { error: checked.text }]
      }
    }
  }
  return { read: readRequest, answer }
}
