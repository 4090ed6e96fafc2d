import type { Failure, MappingRequest } from "../../../core/client/index.ts"
import {
  hasPorts,
  natPmpResultMeaning,
  natPmpResultName,
  ResultCode,
  resultLifetime,
  resultMeaning,
  resultName,
} from "../../../core/wire/index.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { durationText } from "./duration.ts"

/** Seconds that RFC 6887 section 7.4 recommends for long-lifetime errors: of results without a class, what lasts less is short. */
const LONG = 1800

/** How a command that came to this ends. */
export const exitOf = (failure: Failure): ExitCode => {
  switch (failure.kind) {
    case "no-answer":
      return Exit.TIMEOUT
    case "result": {
      const { code, lifetime } = failure
      const usual = resultLifetime(code) ?? (lifetime > 0 && lifetime < LONG ? "short" : "long")
      return usual === "short" ? Exit.SHORT_ERROR : Exit.FAILED
    }
    case "natpmp-result":
      // Network failure and out of resources pass (RFC 6886 section 3.5).
      return failure.code === 3 || failure.code === 4 ? Exit.SHORT_ERROR : Exit.FAILED
    case "unreachable":
    case "unsupported-version":
    case "beyond-nat-pmp":
      return Exit.FAILED
  }
}

/** Silence until the time was up, after so many datagrams: there may yet be an answer. */
export const silenceText = (sent: number): string =>
  `no answer yet, and the time is up${sent === 0 ? "" : `: ${sent} ${sent === 1 ? "datagram" : "datagrams"} sent`}`

/** Why, and what to do about it: for people, without a capital and a full stop. `request`: what was asked for, where that is known. */
export const failureText = (failure: Failure, request?: MappingRequest): string => {
  switch (failure.kind) {
    case "no-answer":
      if (failure.sent === 0) return silenceText(0)
      return failure.sent === 1 ? "no answer to a datagram" : `no answer to ${failure.sent} datagrams`
    case "unreachable":
      return "nobody listens there, says the system: port mapping may be switched off"
    case "unsupported-version":
      return `it speaks version ${failure.version} alone, neither PCP 2 nor NAT-PMP`
    case "beyond-nat-pmp":
      return `${failure.text}: this takes PCP`
    case "natpmp-result":
      return `${natPmpResultName(failure.code)} (${failure.code}): ${sentence(natPmpResultMeaning(failure.code))}`
    case "result": {
      const { code, lifetime } = failure
      const lasts = lifetime > 0 ? `; it holds for ${durationText(lifetime)}` : ""
      const next = nextOf(code, request)
      return `${resultName(code)} (${code}): ${sentence(resultMeaning(code))}${next === undefined ? "" : `; ${next}`}${lasts}`
    }
  }
}

const sentence = (text: string): string =>
  text.replace(/\.$/, "").replace(/^[A-Z](?=[a-z ])/, (first) => first.toLowerCase())

/** What to do next, by what was asked for. */
const nextOf = (code: number, request: MappingRequest | undefined): string | undefined => {
  if (request === undefined) return NEXT.get(code)
  const { protocol, internalPort, thirdParty } = request
  if (code === ResultCode.UNSUPP_OPTION && thirdParty !== undefined)
    return "THIRD_PARTY asks for another host, which the server must be set to allow"
  if (code === ResultCode.UNSUPP_PROTOCOL && protocol === 0) return "the server does not map all protocols at once"
  if (code === ResultCode.UNSUPP_PROTOCOL && internalPort === 0 && hasPorts(protocol))
    return "the server maps no whole protocols: name a port"
  return NEXT.get(code)
}

/** What to do next, where the result alone leaves people guessing. */
const NEXT: ReadonlyMap<number, string> = new Map([
  [ResultCode.NOT_AUTHORIZED, "it may be switched off there, or the mapping was made with another nonce"],
  [ResultCode.ADDRESS_MISMATCH, "ask the NAT in between first"],
  [ResultCode.CANNOT_PROVIDE_EXTERNAL, "suggest another --external-port, or none"],
  [ResultCode.USER_EX_QUOTA, "unmap what is not needed any more"],
])

/** The same for programs. */
export const failureRecord = (failure: Failure): object => {
  switch (failure.kind) {
    case "result":
      return { reason: "result", code: failure.code, name: resultName(failure.code), lifetime: failure.lifetime }
    case "natpmp-result":
      return { reason: "result", code: failure.code, name: natPmpResultName(failure.code) }
    case "no-answer":
      return { reason: "no-answer", sent: failure.sent }
    case "unreachable":
      return { reason: "unreachable" }
    case "unsupported-version":
      return { reason: "unsupported-version", version: failure.version }
    case "beyond-nat-pmp":
      return { reason: "beyond-nat-pmp", text: failure.text }
  }
}
