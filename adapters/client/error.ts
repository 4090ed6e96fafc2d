import type { Failure, RequestError } from "../../core/client/index.ts"
import { natPmpResultMeaning, natPmpResultName, resultMeaning, resultName } from "../../core/wire/index.ts"
import type { ServerProblem } from "./servers.ts"

/** Why a call of the client came to nothing. */
export type PortControlCode =
  | "bad-request" // the request cannot be sent: `request` says why, and nothing was sent
  | "bad-options" // an address that is none, or a setting out of range
  | "bad-store" // what was saved cannot be read; it is left as it is
  | "no-server" // nobody to ask: `failures` says what is wrong
  | "failed" // each server refused, or did not answer: see `failures`
  | "timeout" // no server assigned anything in time; `failures` has what each has said until then
  | "aborted" // the caller's signal; `cause` is its reason
  | "closed" // the client or the mapping was closed meanwhile
  | "listen" // the port to publish cannot be bound

/** What went wrong with one server. */
export interface ServerFailure {
  /** The server's name; `undefined`: it is about all of them. */
  readonly server: string | undefined
  /** What the protocol said; `undefined`: nothing yet, or it was never asked. */
  readonly failure: Failure | undefined
  /** Why it was never asked. */
  readonly problem: ServerProblem | undefined
  /** One line for people. */
  readonly text: string
}

/** What every call of the client rejects with, or throws: nothing else. */
export class PortControlError extends Error {
  /** Tells it from other errors where `instanceof` cannot: from another copy of the package. */
  override readonly name = "PortControlError"
  /** Which kind of failure it is, for programs. */
  readonly code: PortControlCode
  /** For each server what went wrong there. */
  readonly failures: readonly ServerFailure[]
  /** Of `bad-request`. */
  readonly request: RequestError | undefined

  /** Made by the calls of this package; there is no need to make one. */
  constructor(
    code: PortControlCode,
    text: string,
    more: {
      readonly failures?: readonly ServerFailure[]
      readonly request?: RequestError | undefined
      readonly cause?: unknown
    } = {},
  ) {
    const { failures = [], request, cause } = more
    const about = failures.map((one) => (one.server === undefined ? one.text : `${one.server}: ${one.text}`)).join("; ")
    super(about === "" ? text : `${text}: ${about}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.failures = failures
    this.request = request
  }
}

export const badRequest = (request: RequestError): PortControlError =>
  new PortControlError("bad-request", request.text, { request })

/** Why there is no mapping, or no answer, in one line for people. */
export const failureText = (failure: Failure): string => {
  switch (failure.kind) {
    case "result":
      return `${resultName(failure.code)} (${failure.code}) for ${failure.lifetime} s: ${resultMeaning(failure.code)}`
    case "natpmp-result":
      return `NAT-PMP ${natPmpResultName(failure.code)} (${failure.code}): ${natPmpResultMeaning(failure.code)}`
    case "no-answer":
      return `no answer to ${failure.sent} requests`
    case "unreachable":
      return "nothing listens there"
    case "unsupported-version":
      return `it speaks version ${failure.version}, and not what was asked of it`
    case "beyond-nat-pmp":
      return `it speaks NAT-PMP alone: ${failure.text}`
  }
}

export const failureOf = (server: string, failure: Failure | undefined): ServerFailure => ({
  server,
  failure,
  problem: undefined,
  text: failure === undefined ? "no answer yet" : failureText(failure),
})

export const problemFailure = (problem: ServerProblem): ServerFailure => ({
  server: problem.server,
  failure: undefined,
  problem,
  text: problem.text,
})
