import { parentPort, workerData } from "node:worker_threads"
import { Command } from "commander"
import { hasCode, reasonOf } from "../system-error.ts"
import { addCommands } from "./commands.ts"
import { complain } from "./complain.ts"
import { EXIT_HELP, Exit } from "./exit.ts"
import { version } from "./version.ts"
import { isRole, isWaiter } from "./workers/role.ts"

/** What a write comes to, of a full disk above all: Deno's streams throw it where others emit it. */
const isOfOutput = (cause: unknown): boolean =>
  ["ENOSPC", "EFBIG", "EIO", "EAGAIN"].some((code) => hasCode(cause, code))

const fault = (cause: unknown): void => {
  // What Deno does not permit it says with the flag that would: no fault of ours, and the user's to decide.
  if (cause instanceof Error && cause.name === "NotCapable") {
    complain(`Deno does not permit it: ${reasonOf(cause)}`)
    process.exit(Exit.USAGE)
  }
  complain(`${isOfOutput(cause) ? "cannot write standard output" : "internal error"}: ${reasonOf(cause)}`)
  process.exit(Exit.FAILED)
}

// Whoever reads our output may leave before its end, as `head` does.
process.stdout.on("error", (cause) => (isOfOutput(cause) ? fault(cause) : process.exit(Exit.DONE)))
process.stderr.on("error", () => {})

process.on("uncaughtException", fault)

const program = new Command("sallyport")
  .description("PCP and NAT-PMP: open ports, serve mappings, and take packets apart")
  .version(version(), "-V, --version", "print the version")
  .helpOption("-h, --help", "print help")
  // Commander's own prints everything for a command that is not there.
  .helpCommand(false)
  .addHelpText("after", EXIT_HELP)
  // Commands made after this say what is wrong as everything else does, and show no raw argument.
  .configureOutput({ outputError: (text) => complain(text.trim().replace(/^error: /, "")) })

await addCommands(program, process.argv.slice(2), new URL(import.meta.url))

program
  .command("help")
  .description("print help for a command")
  .argument("[command...]")
  .action((names: readonly string[]) => {
    let command: Command = program
    for (const name of names) {
      const next = command.commands.find((one) => one.name() === name)
      if (next === undefined) program.error(`unknown command '${name}'`, { exitCode: Exit.USAGE })
      else command = next
    }
    command.help()
  })

// Threads of `serve --workers` and `serve --fast` run this file too.
if (parentPort !== null && isRole(workerData)) {
  const { runWorker } = await import("./workers/thread.ts")
  runWorker(workerData, parentPort, new URL(import.meta.url))
} else if (parentPort !== null && isWaiter(workerData)) {
  const { runWaiter } = await import("../linux/index.ts")
  runWaiter(workerData, parentPort)
} else await program.parseAsync()
