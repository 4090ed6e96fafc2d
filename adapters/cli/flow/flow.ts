import { type Command, Option } from "commander"
import { readTimeout } from "../client/duration.ts"
import { once, type Read, repeated, wholeNumber } from "../read.ts"
import type { NetcatOptions } from "./dial-run.ts"
import { addDialOptions, addFlowOptions } from "./flow-options.ts"
import type { ListenOptions } from "./listen-run.ts"
import type { PerfOptions } from "./perf-run.ts"
import type { PingOptions } from "./ping-run.ts"

const NOTES = `
A name is looked up in --host, then in DNS: --dns and --zone, or the system's.

Examples:
  sallyport flow listen oecho --echo
  sallyport flow ping oecho --to 192.0.2.1 --count 3
  echo hello | sallyport flow dial oecho --host oecho=192.0.2.1

Exit codes: 1 no directory knows the name, or our own end cannot be listened on;
2 nobody answered, or the other side fell silent; 4 refused by the other side,
which may be that it does not know the name; 5 of ping: some were lost.`

const readServer = (text: string): Read<readonly string[]> =>
  text === "" ? { ok: false, text: "Expected an address or a name." } : { ok: true, value: [text] }

/** The subcommands; what each does is loaded when it runs. */
export const flowCommand = (command: Command): void => {
  command.addHelpText("after", NOTES)
  addFlowOptions(command.command("listen").description("take flows to a name: what they bring is printed"))
    .option("--echo", "send every message back instead")
    .option("--once", "end with the first flow")
    .option("--map", "have the NAT in front let others in, by PCP or NAT-PMP, and publish where")
    .addOption(
      new Option("-s, --server <host[:port]>", "the NAT to ask; repeatable (default: the gateways)").argParser(
        repeated(readServer),
      ),
    )
    .action(async (name: string, options: ListenOptions) => {
      process.exitCode = await (await import("./listen-run.ts")).listen(name, options)
    })
  addDialOptions(command.command("dial").description("standard input to a flow, the flow to standard output"))
    .addOption(
      new Option(
        "-w, --wait <seconds>",
        "after the input's end, until nothing came for so long (default: 1)",
      ).argParser(once(readTimeout)),
    )
    .action(async (name: string, options: NetcatOptions) => {
      process.exitCode = await (await import("./dial-run.ts")).dial(name, options)
    })
  addDialOptions(command.command("ping").description("how long messages take to whoever echoes them"))
    .addOption(new Option("-c, --count <n>", "so many (default: until Ctrl-C)").argParser(once(wholeNumber(1, 1e9))))
    .addOption(new Option("-i, --interval <seconds>", "between two (default: 1)").argParser(once(readTimeout)))
    .addOption(new Option("--size <octets>", "of each, 8 at least (default: 64)").argParser(once(wholeNumber(8, 8948))))
    .action(async (name: string, options: PingOptions) => {
      process.exitCode = await (await import("./ping-run.ts")).ping(name, options)
    })
  addDialOptions(command.command("perf").description("how much whoever echoes can be sent"))
    .addOption(new Option("-d, --duration <seconds>", "for so long (default: 10)").argParser(once(readTimeout)))
    .addOption(new Option("--size <octets>", "of a message (default: 1000)").argParser(once(wholeNumber(1, 8948))))
    .addOption(new Option("--window <n>", "messages under way (default: 32)").argParser(once(wholeNumber(1, 1024))))
    .action(async (name: string, options: PerfOptions) => {
      process.exitCode = await (await import("./perf-run.ts")).perf(name, options)
    })
}
