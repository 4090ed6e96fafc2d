import { type Command, Option } from "commander"
import { formatMac, type Mac, SVP_PORT } from "../../../core/overlay/index.ts"
import { readEndpoint } from "../endpoint.ts"
import { once, type Read, repeated } from "../read.ts"
import type { AskOptions, OverlayCommand, PropsOptions } from "./ask-run.ts"
import type { RunOptions } from "./run.ts"
import type { SvpServerRunOptions } from "./svp-server-run.ts"
import { formatTarget, readMacText, readTarget, type Target } from "./target.ts"

const NOTES = `
Examples:
  sallyport overlay run --config overlay.jsonc
  sallyport overlay lookup de:ad:be:ef:0:1
  sallyport overlay cache set de:ad:be:ef:0:1 192.0.2.7:4789
  sallyport overlay props --plugin svp
  sallyport overlay svp-server --hosts hosts.json --listen 192.0.2.1

Exit codes: 1 nothing runs, or there is a fault in what was given; 2 the plugin
has no answer yet; 4 frames for the MAC are dropped, or what runs refused:
standard error says why.`

const CONFIG = `
A configuration file is JSON with comments and trailing commas:
  overlays     a list of objects:
    name           letters, digits, and . _ -
    vnetid         0 to 16777215
    listen         address and port of VXLAN; port 4789 where none is given
    mtu            octets behind the Ethernet header, 576 to 8900. Default: 1400
    plugin         direct, files, svp or portmap
    properties     of the plugin, by name: see overlay props --plugin
    kernel         a VXLAN device of the kernel that gives the link:
      listen         address and port that the device sends to
      device         address and port that the device listens at
    map            have the NAT in front let others in, by PCP or NAT-PMP:
      servers        whom to ask. Default: the gateways
      macs           of the hosts that are reached there
      file           a file of the plugin portmap to say it in
      name           what names begin with in the directory, to say it there
    pendingOctets  of frames that wait for one MAC. Default: 131072
    lookups        under way at most. Default: 1024
    entries        MACs in the cache at most. Default: 1048576
  directory    DNS that has the ends of hosts: dns, zone, and key for updates
  state        a folder where instances are kept over a crash. Default: none
  control      path of the control socket, or false. Default: one of its own

Example:
  {
    "overlays": [{
      "name": "blue",
      "vnetid": 23,
      "listen": "192.0.2.1",
      "plugin": "files",
      "properties": { "files/config": "/etc/overlay/blue.json" },
      "kernel": { "listen": "169.254.77.1", "device": "169.254.77.2" },
    }],
  }`

const readName = (text: string): Read<string> =>
  text.includes("=") && !text.startsWith("=")
    ? { ok: true, value: text }
    : { ok: false, text: `"${text}" is not NAME=VALUE.` }

const addAskOptions = (command: Command): Command =>
  command
    .option("--overlay <name>", "which one, where there are several")
    .option("--control <path>", "the control socket (default: that of the only one that runs)")
    .option("--json", "one JSON object a line")

/** The subcommands; what each does is loaded when it runs. */
export const overlayCommand = (command: Command): void => {
  command.addHelpText("after", NOTES)
  const run = command
    .command("run")
    .description("have overlays at work: VXLAN, with lookups by plugins")
    .requiredOption("-c, --config <file>", "what they are")
    .option("--json", "one JSON object a line")
    .addHelpText("after", CONFIG)
  run.action(async (options: RunOptions) => {
    await (await import("./run.ts")).run(options, run)
  })
  command
    .command("svp-server")
    .description("tell a fleet's hosts where MACs live: the server of the plugin svp")
    .requiredOption("--hosts <file>", "JSON: vnetids, each with MACs as a file of the plugin files")
    .addOption(
      new Option("-l, --listen <address[:port]>", "repeatable (default: 127.0.0.1:1296)").argParser(
        repeated((text) => {
          const end = readEndpoint(text, SVP_PORT)
          return end.ok ? { ok: true, value: [end.value] } : end
        }),
      ),
    )
    .option("--json", "one JSON object a line")
    .action(async (options: SvpServerRunOptions) => {
      process.exitCode = await (await import("./svp-server-run.ts")).serveSvp(options)
    })
  const ask = async (name: OverlayCommand, options: AskOptions, more: object = {}): Promise<void> => {
    process.exitCode = await (await import("./ask-run.ts")).askOverlays(name, options, more)
  }
  addAskOptions(command.command("lookup").description("where a MAC lives, by the cache or else by the plugin"))
    .argument("<mac>", "of the overlay", once(readMacText))
    .action((mac: Mac, options: AskOptions) => ask("lookup", options, { mac: formatMac(mac) }))
  addAskOptions(command.command("status").description("the overlays that run, and what they have counted")).action(
    (options: AskOptions) => ask("status", options),
  )
  addAskOptions(command.command("props").description("properties of running overlays, or of a plugin, and to set them"))
    .option("--plugin <name>", "those that this plugin has")
    .addOption(new Option("--set <name=value>", "set one of the running overlay").argParser(once(readName)))
    .action(async (options: PropsOptions) => {
      process.exitCode = await (await import("./ask-run.ts")).props(options)
    })
  const cache = command.command("cache").description("what running overlays know of MACs: list, flush, set, delete")
  addAskOptions(cache.command("list").description("all of it, in the order of MACs")).action((options: AskOptions) =>
    ask("cache-list", options),
  )
  addAskOptions(cache.command("flush").description("forget all: each MAC is looked up anew")).action(
    (options: AskOptions) => ask("cache-flush", options),
  )
  addAskOptions(cache.command("set").description("say where frames for a MAC go, or that they are dropped"))
    .argument("<mac>", "of the overlay", once(readMacText))
    .argument("<target>", "ADDRESS[:PORT], or drop", once(readTarget))
    .action((mac: Mac, target: Target, options: AskOptions) =>
      ask("cache-set", options, { mac: formatMac(mac), target: formatTarget(target) }),
    )
  addAskOptions(cache.command("delete").description("forget one MAC"))
    .argument("<mac>", "of the overlay", once(readMacText))
    .action((mac: Mac, options: AskOptions) => ask("cache-delete", options, { mac: formatMac(mac) }))
}
