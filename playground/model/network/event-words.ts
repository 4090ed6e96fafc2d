import type { ClientEvent, Failure, MappingState } from "../../../core/client/index.ts"
import { formatAddress, natPmpResultName, resultName } from "../../../core/wire/index.ts"
import { endText } from "../replay/index.ts"

const failureWords = (failure: Failure): string => {
  switch (failure.kind) {
    case "result":
      return `${resultName(failure.code)} for ${failure.lifetime} s`
    case "natpmp-result":
      return natPmpResultName(failure.code)
    case "no-answer":
      return `no answer to ${failure.sent} datagrams`
    case "unreachable":
      return "nothing listens there"
    case "unsupported-version":
      return `it speaks version ${failure.version} alone`
    case "beyond-nat-pmp":
      return failure.text
  }
}

const stateWords = (state: MappingState): string => {
  switch (state.kind) {
    case "starting":
      return state.retransmissions === 0 ? "asked for" : `asked for again, ${state.retransmissions}`
    case "updating":
      return state.retransmissions === 0 ? "asked for anew" : `asked for anew again, ${state.retransmissions}`
    case "error":
      return `refused: ${failureWords(state.failure)}`
    case "revoked":
      if (!state.answered) return "deleted, without an answer"
      return state.lifetime === undefined ? "deleted" : `deleted, but left for ${state.lifetime} s`
    default:
      return state.kind
  }
}

/** One line for an event of the client. */
export const eventWords = (event: ClientEvent): string => {
  switch (event.type) {
    case "state":
      return `${event.id}: ${stateWords(event.state)}`
    case "assigned":
    case "renewed": {
      const { external, externalPort, lifetime } = event.mapping
      return `${event.id}: ${event.type}, ${endText(external, externalPort)} for ${lifetime} s`
    }
    case "renewal-refused":
      return `${event.id}: not renewed: ${failureWords(event.failure)}`
    case "announced":
      return `the server is there, its epoch ${event.epoch} s`
    case "external-address":
      return `external address ${formatAddress(event.external)}`
    case "unmapped-all":
      return `all ${event.transport} mappings deleted`
    case "failed":
      return `${event.id}: ${failureWords(event.failure)}`
    case "speaks":
      return `the server speaks ${event.protocol === "pcp" ? "PCP" : "NAT-PMP"}`
    case "failover":
      return `goes on with ${formatAddress(event.address)}`
    case "exhausted":
      return "no address of the server answers"
    case "state-lost":
      return "the server lost its mappings: its epoch says so"
    case "quirk":
      return `a quirk of the server: ${event.quirk.replaceAll("-", " ")}`
    case "ignored":
      return `a datagram was ignored: ${event.reason.replaceAll("-", " ")}`
    case "refused":
      return event.error.text
    case "stopped":
      return "stopped"
  }
}
