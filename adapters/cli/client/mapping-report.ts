import { clock } from "#runtime"
import type { Assigned, ClientEvent, ClientState, Failure } from "../../../core/client/index.ts"
import { complain, note } from "../complain.ts"
import { wallClock } from "../wall-clock.ts"
import type { Place } from "./board.ts"
import { durationText, leftText } from "./duration.ts"
import { failureText, silenceText } from "./failure.ts"
import { failedRecord, mappedRecord, otherRecord, type Subject } from "./mapping-json.ts"
import type { Wanted } from "./mapping-request.ts"
import { externalText, mappedText, remarksOf } from "./mapping-words.ts"

/** How a command that maps tells what comes of it: data on standard output, everything else on standard error. */
export interface MappingReport {
  /** The first assignment, with what is worth knowing of it. */
  mapped(place: Place, mapping: Assigned): void
  /** What came to nothing: `undefined` is silence until the time was up. */
  failed(place: Place, failure: Failure | undefined): void
  /** What happens to mappings that are kept. */
  event(event: ClientEvent): void
}

export interface MappingReportOptions {
  readonly json: boolean
  readonly wanted: readonly Wanted[]
  /** Did the user say which external port? */
  readonly chosen: boolean
  /** Do more lines follow later, so that each begins with its time? */
  readonly timed: boolean
  readonly state: () => ClientState
  readonly print: (line: string) => void
}

export const mappingReport = (options: MappingReportOptions): MappingReport =>
  options.json ? jsonReport(options) : textReport(options)

const textReport = ({ wanted, chosen, timed, print }: MappingReportOptions): MappingReport => {
  const requestOf = (id: string) => wanted.find((one) => one.id === id)?.request
  const time = (): string => new Date().toTimeString().slice(0, 8)
  const line = (text: string): void => print(`${time()} ${text}\n`)
  return {
    mapped: ({ id, server, quirks }, mapping) => {
      const request = requestOf(id)
      if (request === undefined) return
      const text = mappedText(id, request, server, mapping)
      if (timed) line(text)
      else print(`${text}\n`)
      for (const remark of remarksOf(id, request, chosen, mapping, quirks)) note(remark)
    },
    failed: ({ id, server, standing }, failure) => {
      const sent = standing.kind === "waiting" ? standing.sent : 0
      complain(`${id}: ${server}: ${failure === undefined ? silenceText(sent) : failureText(failure, requestOf(id))}`)
    },
    event: (event) => {
      switch (event.type) {
        case "assigned":
          line(`${event.id} is reached at ${externalText(event.mapping)} from now on, says ${event.server}`)
          break
        case "renewed":
          line(`${event.id} is renewed for ${durationText(event.mapping.lifetime)} by ${event.server}`)
          break
        case "renewal-refused":
          complain(`${event.id}: ${event.server} does not renew it: ${failureText(event.failure)}`)
          break
        case "state-lost":
          line(`${event.server} has lost its mappings: they are made again`)
          break
        case "external-address":
          if (event.id === undefined) line(`${event.server} has another external address`)
          break
        case "failover":
          line(`${event.server} is asked at another of its addresses`)
          break
        case "exhausted":
          complain(
            `${event.server} does not answer; it is asked again in ${durationText((event.retryAt - clock.now()) / 1000)}`,
          )
          break
        case "state":
          if (event.state.kind === "error")
            complain(`${event.id}: ${event.server}: ${failureText(event.state.failure, requestOf(event.id))}`)
          else if (event.state.kind === "expired") line(`${event.id} is over at ${event.server}`)
          else if (event.state.kind === "revoked")
            line(
              `${event.id} is deleted${event.state.answered ? "" : ", if the server heard it: no answer came"} at ${event.server}${leftText(event.state.lifetime)}`,
            )
          else if (event.state.kind === "dropped") line(`${event.id} is left to end by itself at ${event.server}`)
          break
        default:
          break
      }
    },
  }
}

const jsonReport = ({ wanted, state, print }: MappingReportOptions): MappingReport => {
  const wall = wallClock(clock)
  const say = (record: object): void => print(`${JSON.stringify(record)}\n`)
  const subject = (event: string, id: string, name: string): Subject | undefined => {
    const request = wanted.find((one) => one.id === id)?.request
    const known = state().servers.get(name)
    return request === undefined || known === undefined
      ? undefined
      : { event, id, request, server: known.server, end: known.end }
  }
  const about = (event: string, id: string, server: string, record: (of: Subject) => object): void => {
    const of = subject(event, id, server)
    if (of !== undefined) say(record(of))
  }
  const tellState = ({ id, server, state: now }: Extract<ClientEvent, { type: "state" }>): void => {
    switch (now.kind) {
      case "error":
        about("failed", id, server, (of) => failedRecord(of, now.failure, [], wall, { retryAt: now.retryAt }))
        break
      case "expired":
      case "dropped":
        about(now.kind, id, server, (of) => otherRecord(of, {}, wall))
        break
      case "revoked":
        about("deleted", id, server, (of) => otherRecord(of, { answered: now.answered, lifetime: now.lifetime }, wall))
        break
      default:
        break
    }
  }
  return {
    mapped: ({ id, server, quirks }, mapping) =>
      about("mapped", id, server, (of) => mappedRecord(of, mapping, quirks, wall)),
    failed: ({ id, server, quirks, standing }, failure) =>
      about("failed", id, server, (of) =>
        failedRecord(
          of,
          failure ?? { kind: "no-answer", sent: standing.kind === "waiting" ? standing.sent : 0 },
          quirks,
          wall,
        ),
      ),
    event: (event) => {
      switch (event.type) {
        case "assigned":
        case "renewed": {
          const name = event.type === "assigned" ? "changed" : "renewed"
          about(name, event.id, event.server, (of) => mappedRecord(of, event.mapping, [], wall))
          break
        }
        case "renewal-refused":
          about("refused", event.id, event.server, (of) => failedRecord(of, event.failure, [], wall, event))
          break
        case "state-lost":
          say({ time: wall.time(), event: "state-lost", server: event.server, recover: wall.at(event.recoverAt) })
          break
        case "exhausted":
          say({ time: wall.time(), event: "silent", server: event.server, retry: wall.at(event.retryAt) })
          break
        case "failover":
          say({ time: wall.time(), event: "failover", server: event.server })
          break
        case "state":
          tellState(event)
          break
        default:
          break
      }
    },
  }
}
