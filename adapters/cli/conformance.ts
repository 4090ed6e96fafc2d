import { type Command, Option } from "commander"
import type { Address } from "../../core/wire/index.ts"
import type { ConformanceOptions } from "./conformance-run.ts"
import { readEndpoint } from "./endpoint.ts"
import { once, type Read, repeated, wholeNumber } from "./read.ts"

const KINDS = ["nat444", "nat64", "nat46", "dslite", "l2dslite", "nptv6", "firewall4", "firewall6"]

const HELP = `
Sends hundreds of requests to a PCP or NAT-PMP server, one after the other, and
holds each answer to the RFCs. Deletes the mappings that it makes; those of PEER
cannot be deleted and run out within minutes. Where THIRD_PARTY is allowed, some
are for another host: that of the second --client, or the address beside ours.
NAT-PMP's deletion of all is tried, and takes every NAT-PMP mapping of this host.
A host that has mappings by PCP already sees a server that keeps those, as most
do, fail N-05: run it from a host that has none.

Exit codes: 0 every requirement that applies passed, 4 one failed, 2 the server
did not answer or the time was up, 1 wrong usage.

Examples:
  sallyport conformance --server 192.168.1.1
  sallyport conformance --server 127.0.0.1 --client 127.0.0.1 --client 127.0.0.2
  sallyport conformance --server 192.168.1.1 --requirement S-44 --json`

const readClient = (text: string): Read<readonly Address[]> => {
  const read = readEndpoint(text)
  return read.ok ? { ok: true, value: [read.value.address] } : read
}

const words = (text: string): Read<readonly string[]> => ({ ok: true, value: text.split(",") })

export const conformanceCommand = (command: Command): Command =>
  command
    .requiredOption("-s, --server <host[:port]>", "the server; port 5351 when not given")
    .addOption(
      new Option("-k, --kind <kind>", "what it controls; nat44 is nat444")
        .choices([...KINDS, "nat44"])
        .default("nat444"),
    )
    .addOption(
      new Option(
        "-c, --client <address>",
        "our own address to ask from; a second one plays another host; repeatable (default: as the system chooses)",
      ).argParser(repeated(readClient)),
    )
    .addOption(
      new Option("--requirement <ids>", "only these requirements, with commas; repeatable").argParser(repeated(words)),
    )
    .addOption(new Option("--case <ids>", "only these cases, with commas; repeatable").argParser(repeated(words)))
    .addOption(
      new Option("--level <level>", "must: failed SHOULDs and MAYs do not count")
        .choices(["must", "should"])
        .default("should"),
    )
    .addOption(
      new Option("--rate <requests>", "most requests a second (default: 100)").argParser(once(wholeNumber(1, 10000))),
    )
    .addOption(
      new Option("--timeout <milliseconds>", "until a request counts as not answered (default: 2000)").argParser(
        once(wholeNumber(100, 60000)),
      ),
    )
    .addOption(
      new Option("--limit <seconds>", "end the run after so long (default: 600)").argParser(
        once(wholeNumber(1, 86400)),
      ),
    )
    .option("--json", "the whole report as one JSON object")
    .option("--junit <file>", "write the report as JUnit's XML, too")
    .addHelpText("after", HELP)
    .action(async (options: ConformanceOptions) => {
      // Loaded when it runs: help and other commands start without the vectors.
      const { conformance } = await import("./conformance-run.ts")
      process.exitCode = await conformance(options)
    })
