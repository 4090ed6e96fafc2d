import type { Command } from "commander"

/**
 * Refuses an option that is given twice, unless it is repeatable: which of the two was meant nobody knows. To be called when all of the
 * command's options are there; `repeatable` has their long names without dashes.
 */
export const onceOnly = (command: Command, repeatable: readonly string[]): Command => {
  for (const option of command.options) {
    const name = option.name()
    if (repeatable.includes(name)) continue
    let given = 0
    command.on(`option:${name}`, () => {
      given++
      if (given > 1) command.error(`option '${option.flags}' is given twice`, { exitCode: 1 })
    })
  }
  return command
}
