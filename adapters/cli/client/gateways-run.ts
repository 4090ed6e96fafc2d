import { clock, ownAddresses } from "#runtime"
import { ADDRESS_CLASSES, classOfAddress } from "../../../core/client/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { complain } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { paintFor } from "../paint.ts"
import { plainTable } from "../plain-table.ts"
import { wallClock } from "../wall-clock.ts"
import { complainOf, find, nameOf } from "./find.ts"

export interface GatewaysOptions {
  readonly interface?: string
  readonly json?: boolean
}

/** Lists the default gateways; gives the exit code. */
export const gateways = async ({ interface: name, json }: GatewaysOptions): Promise<ExitCode> => {
  const found = await find(name === undefined ? {} : { interface: name })
  if (!found.ok) {
    complain(found.text)
    return Exit.USAGE
  }
  complainOf({ ...found.value, named: true })
  const own = ownAddresses()
  const rows = found.value.servers.map(({ ends: [end] }) => ({
    name: nameOf(end),
    client: end.client,
    interface: end.zone ?? own.find(({ address }) => address === end.client)?.interfaceName,
  }))
  if (rows.length === 0) return Exit.FAILED
  const time = wallClock(clock).time()
  if (json)
    for (const row of rows) {
      const record = {
        time,
        event: "gateway",
        address: row.name,
        ...(row.interface === undefined ? {} : { interface: row.interface }),
        own: formatAddress(row.client),
        class: classOfAddress(row.client),
      }
      process.stdout.write(`${JSON.stringify(record)}\n`)
    }
  else
    process.stdout.write(
      plainTable(
        ["GATEWAY", "INTERFACE", "OUR ADDRESS", "WHICH IS"],
        rows.map((row) => [
          row.name,
          row.interface ?? "",
          formatAddress(row.client),
          ADDRESS_CLASSES[classOfAddress(row.client)].replace(/:.*/, ""),
        ]),
        paintFor(process.stdout),
      ),
    )
  return Exit.DONE
}
