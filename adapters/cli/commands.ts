import type { Command } from "commander"

/** A subcommand as the list of them shows it; what it takes and does is loaded when it is named. */
interface Entry {
  readonly name: string
  readonly description: string
  /** Gives what, from the command and the file that runs it, adds the command's arguments, options and action. */
  load(): Promise<(command: Command, entry: URL) => unknown>
}

/** Every subcommand, in the order of `sallyport --help`. */
export const COMMANDS: readonly Entry[] = [
  {
    name: "map",
    description: "open ports: have a NAT or firewall let others in to this host",
    load: async () => (await import("./client/map.ts")).mapCommand,
  },
  {
    name: "unmap",
    description: "close ports: delete mappings at a NAT or firewall",
    load: async () => (await import("./client/unmap.ts")).unmapCommand,
  },
  {
    name: "watch",
    description: "open ports and watch them live, until Ctrl-C deletes them",
    load: async () => (await import("./client/watch.ts")).watchCommand,
  },
  {
    name: "peer",
    description: "have a NAT or firewall keep the way to one remote peer",
    load: async () => (await import("./client/peer.ts")).peerCommand,
  },
  {
    name: "external",
    description: "tell the address that this host has outside of its NAT, and what kind of address it is",
    load: async () => (await import("./client/external.ts")).externalCommand,
  },
  {
    name: "announce",
    description: "ask whether PCP servers are there, and how long; or have our own one announce itself",
    load: async () => (await import("./client/announce.ts")).announceCommand,
  },
  {
    name: "probe",
    description: "find out whether and how ports can be opened from here, and what stands in the way",
    load: async () => (await import("./client/probe.ts")).probeCommand,
  },
  {
    name: "gateways",
    description: "list this host's default gateways, and the own address on the way to each",
    load: async () => (await import("./client/gateways.ts")).gatewaysCommand,
  },
  {
    name: "serve",
    description: "answer PCP and NAT-PMP as the server of a CGN, in memory or the kernel's",
    load: async () => (await import("./serve.ts")).serveCommand,
  },
  {
    name: "decode",
    description: "take packets apart: each field beside its octets, and what is wrong with them",
    load: async () => (await import("./decode.ts")).decodeCommand,
  },
  {
    name: "playground",
    description: "take packets apart and replay sessions in a browser, on a page that connects to nobody",
    load: async () => (await import("./playground.ts")).playgroundCommand,
  },
  {
    name: "flow",
    description: "allocate flows to names over UDP, as Ouroboros does: listen, dial, ping, perf",
    load: async () => (await import("./flow/flow.ts")).flowCommand,
  },
  {
    name: "overlay",
    description: "carry overlay networks in VXLAN, with lookups by plugins: run, lookup, cache, props, svp-server",
    load: async () => (await import("./overlay/overlay.ts")).overlayCommand,
  },
  {
    name: "mappings",
    description: "list the mappings of a running server",
    load: async () => (await import("./control.ts")).controlCommand("mappings"),
  },
  {
    name: "subscribers",
    description: "list who has mappings on a running server, and how many",
    load: async () => (await import("./control.ts")).controlCommand("subscribers"),
  },
  {
    name: "counters",
    description: "print what a running server has counted",
    load: async () => (await import("./control.ts")).controlCommand("counters"),
  },
  {
    name: "revoke",
    description: "delete all mappings of one internal address on a running server",
    load: async () => (await import("./control.ts")).revokeCommand,
  },
  {
    name: "doctor",
    description: "hold the kernel's table against what a running server has, and mend it",
    load: async () => (await import("./control.ts")).controlCommand("doctor"),
  },
  {
    name: "import-miniupnpd",
    description: "translate a configuration file of miniupnpd into one of serve",
    load: async () => (await import("./miniupnpd/import.ts")).importMiniupnpdCommand,
  },
  {
    name: "who",
    description: "tell who had an external address and port, from a log or from settings alone",
    load: async () => (await import("./who.ts")).whoCommand,
  },
  {
    name: "conformance",
    description: "hold a PCP or NAT-PMP server to the RFCs, requirement by requirement",
    load: async () => (await import("./conformance.ts")).conformanceCommand,
  },
]

/**
 * Adds every command to the program, though only those that a word on the command line names with all they take: the others are
 * lines of the help, and loading them would cost more time than a packet takes to decode.
 */
export const addCommands = async (program: Command, words: readonly string[], entry: URL): Promise<void> => {
  for (const { name, description, load } of COMMANDS) {
    const command = program.command(name).description(description)
    if (!words.includes(name)) continue
    const define = await load()
    define(command, entry)
  }
}
