import { type Signal, useSignal } from "@preact/signals"
import {
  build,
  type FormEntry,
  type FormFault,
  type FormOption,
  type FormValues,
  OPTION_FORMS,
  PACKET_FORMS,
} from "../model/edit/index.ts"
import { Modal } from "../shell/modal.tsx"
import type { PageState } from "../shell/page-state.ts"

/** The number says which it is, whatever options are removed before it. */
type NumberedOption = FormOption & { readonly number: number }

interface EntriesProps {
  readonly entries: readonly FormEntry[]
  readonly values: FormValues
  /** Goes before the names of entries, as in the faults of options. */
  readonly prefix: string
  readonly faults: readonly FormFault[]
  readonly onInput: (name: string, value: string) => void
}

const Entries = ({ entries, values, prefix, faults, onInput }: EntriesProps) => (
  <div class="entries">
    {entries.map(({ name, label, type, value }) => {
      const id = `entry-${prefix}${name}`
      const fault = faults.find(({ entry }) => entry === `${prefix}${name}`)
      return (
        <div class="entry" key={id}>
          <label for={id}>{label}</label>
          {type === "flag" ? (
            <input
              id={id}
              type="checkbox"
              checked={(values[name] ?? value) === "1"}
              onChange={(event) => onInput(name, event.currentTarget.checked ? "1" : "0")}
            />
          ) : (
            <input
              id={id}
              value={values[name] ?? value}
              spellcheck={false}
              autocomplete="off"
              aria-invalid={fault !== undefined}
              aria-describedby={fault === undefined ? undefined : `${id}-fault`}
              onInput={(event) => onInput(name, event.currentTarget.value)}
            />
          )}
          {fault !== undefined && (
            <span class="fault" id={`${id}-fault`}>
              {fault.text}
            </span>
          )}
        </div>
      )
    })}
  </div>
)

const OptionEntries = ({
  options,
  at,
  faults,
}: {
  readonly options: Signal<readonly NumberedOption[]>
  readonly at: number
  readonly faults: readonly FormFault[]
}) => {
  const { kind, values } = options.value[at]
  const form = OPTION_FORMS.find((one) => one.kind === kind)
  return (
    <fieldset>
      <legend>{kind} option</legend>
      <Entries
        entries={form?.entries ?? []}
        values={values}
        prefix={`${at}.`}
        faults={faults}
        onInput={(name, value) => {
          options.value = options.value.map((one, i) =>
            i === at ? { ...one, values: { ...one.values, [name]: value } } : one,
          )
        }}
      />
      <button
        type="button"
        onClick={() => {
          options.value = options.value.filter((_, i) => i !== at)
        }}
      >
        remove {kind}
      </button>
    </fieldset>
  )
}

/** A packet out of a form; it takes the place of the packet that is looked at, and undo brings that back. */
export const BuildDialog = ({ page }: { readonly page: PageState }) => {
  const name = useSignal(PACKET_FORMS[0].name)
  const values = useSignal<FormValues>({})
  const options = useSignal<readonly NumberedOption[]>([])
  const adding = useSignal(OPTION_FORMS[0].kind)
  const form = PACKET_FORMS.find((one) => one.name === name.value) ?? PACKET_FORMS[0]
  const built = build(form.name, values.value, options.value)
  const faults = built.ok ? [] : built.faults
  const whole = faults.find(({ entry }) => entry === "")
  const close = (): void => {
    page.dialog.value = undefined
  }
  return (
    <Modal title="Build a packet" onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (built.ok && page.bench.edit(built, `${form.title} built`)) close()
        }}
      >
        <div class="entry">
          <label for="form-name">Packet</label>
          <select
            id="form-name"
            value={name.value}
            onChange={(event) => {
              const chosen = PACKET_FORMS.find((one) => one.name === event.currentTarget.value)
              if (chosen !== undefined) name.value = chosen.name
            }}
          >
            {PACKET_FORMS.map((one) => (
              <option key={one.name} value={one.name}>
                {one.title}
              </option>
            ))}
          </select>
        </div>
        <Entries
          entries={form.entries}
          values={values.value}
          prefix=""
          faults={faults}
          onInput={(entry, value) => {
            values.value = { ...values.value, [entry]: value }
          }}
        />
        {form.hasOptions && (
          <>
            {options.value.map((one, i) => (
              <OptionEntries key={one.number} options={options} at={i} faults={faults} />
            ))}
            <div class="entry">
              <label for="form-option">Option</label>
              <span>
                <select
                  id="form-option"
                  value={adding.value}
                  onChange={(event) => {
                    const chosen = OPTION_FORMS.find((one) => one.kind === event.currentTarget.value)
                    if (chosen !== undefined) adding.value = chosen.kind
                  }}
                >
                  {OPTION_FORMS.map(({ kind }) => (
                    <option key={kind} value={kind}>
                      {kind}
                    </option>
                  ))}
                </select>{" "}
                <button
                  type="button"
                  onClick={() => {
                    options.value = [
                      ...options.value,
                      { number: (options.value.at(-1)?.number ?? 0) + 1, kind: adding.value, values: {} },
                    ]
                  }}
                >
                  add option
                </button>
              </span>
            </div>
          </>
        )}
        {whole !== undefined && <p class="fault">{whole.text}</p>}
        <p class="actions">
          <button type="submit" class="main" disabled={!built.ok}>
            build it
          </button>
          <span class="muted">{built.ok ? `${built.bytes.length} octets` : "something is mistyped"}</span>
        </p>
      </form>
    </Modal>
  )
}
