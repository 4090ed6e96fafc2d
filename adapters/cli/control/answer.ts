import { announce, counters, mappings, revoke } from "../../../core/server/index.ts"
import type { Clock } from "../../host.ts"
import { pushedOutput } from "../../server-machine.ts"
import { countersOf } from "../counter-names.ts"
import { mappingRecord } from "../entry-json.ts"
import { secondsLeft } from "../mapping-text.ts"
import type { ServeHost } from "../serve-listen.ts"
import { wallClock } from "../wall-clock.ts"
import type { Answer } from "./request.ts"

/** Mappings in one page: some milliseconds, and between two pages the server answers clients. */
const PAGE = 500

/** Answers what a running server is asked. Nonces are in no answer. */
export const controlAnswer = (host: ServeHost, clock: Clock): Answer => {
  const wall = wallClock(clock)
  return async function* (request) {
    switch (request.command) {
      case "mappings": {
        let count = 0
        for (let after: number | undefined = 0; after !== undefined; ) {
          const now = clock.now()
          const page = mappings(host.state(), now, after, PAGE)
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
        const { internal, realm } = request
        let deleted = 0
        host.act((state, now) => {
          const [after, { changes }] = revoke(state, internal, realm, now)
          deleted = changes.filter(({ type }) => type === "deleted").length
          return [after, pushedOutput({ changes, next: undefined })]
        })
        yield [{ end: true, deleted }]
      }
    }
  }
}
