import { type Command, Option } from "commander"
import type { DecodeOptions } from "./decode-run.ts"
import { readFields } from "./field-columns.ts"
import { once } from "./read.ts"

const EXAMPLES = `
Reads hex digits in any form, program text, dumps (xxd, hexdump, od, tcpdump -x,
tshark -x), base64, pcap and pcapng, also with link, IP and UDP headers.
Takes PCP and NAT-PMP apart, Ouroboros flow allocation over UDP, VXLAN, and SVP
messages where they are pasted.
Arguments that all name files are read as files, others together as text;
without any, or with -, standard input.

Findings do not change the exit code: it tells whether the input could be read.

Examples:
  sallyport decode 0002 0000 1f90 1f90 0000 0e10
  sallyport decode capture.pcapng --fields frame.number,portcontrol.map.nonce
  tcpdump -c 10 -w - udp port 5351 | sallyport decode --json`

export const decodeCommand = (command: Command): Command =>
  command
    .argument("[input...]", "files, or the packet itself as text")
    .addOption(new Option("--json", "one JSON object a packet").conflicts("fields"))
    .addOption(
      new Option(
        "--fields <names>",
        "values of Wireshark's fields, tabs between, as tshark -T fields prints",
      ).argParser(once(readFields)),
    )
    .addHelpText("after", EXAMPLES)
    .action(async (words: readonly string[], options: DecodeOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { decode } = await import("./decode-run.ts")
      process.exitCode = await decode(words, options)
    })
