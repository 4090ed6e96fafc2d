import type { Page } from "../../../core/cgn/index.ts"
import { announce, counters } from "../../../core/server/index.ts"
import type { Clock } from "../../host.ts"
import { pushedOutput } from "../../server-machine.ts"
import { countersOf } from "../counter-names.ts"
import type { Device } from "../device/device.ts"
import { mappingRecord } from "../entry-json.ts"
import { secondsLeft } from "../mapping-text.ts"
import type { ServeHost } from "../serve-listen.ts"
import { wallClock } from "../wall-clock.ts"
import type { Answer } from "./request.ts"

/** Mappings in one page: some milliseconds, and between two pages the server answers clients. */
const PAGE = 500

/** Answers what a running server is asked. Nonces are in no answer. */
export const controlAnswer = <S>(device: Device<S>, host: ServeHost<S>, clock: Clock): Answer => {
  const wall = wallClock(clock)
  return async function* (request) {
    switch (request.command) {
      case "mappings": {
        let count = 0
        for (let after: number | undefined = 0; after !== undefined; ) {
          const now = clock.now()
          const page: Page = device.list(host.state().cgnState, now, after, PAGE)
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
        yield countersOf(counters(host.state())).map(({ vector, index, name, count }) => ({
          vector,
          index,
          name,
          count,
        }))
        yield [{ end: true }]
        return
      }
      case "announce": {
        host.act((state, now) => {
          const [after, pushed] = announce(state, now)
          return [after, pushedOutput(pushed)]
        })
        yield [{ end: true }]
        return
      }
      case "revoke": {
        const revoked = device.revoke(host, request.internal, request.realm)
        yield [revoked.ok ? { end: true, deleted: revoked.value } : { error: revoked.text }]
      }
    }
  }
}
