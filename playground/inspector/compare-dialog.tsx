import { useSignal } from "@preact/signals"
import { toHex } from "../../core/wire/text/index.ts"
import { compare, type FieldPair } from "../model/edit/index.ts"
import { open, portsOf } from "../model/open/index.ts"
import { Check } from "../shell/check.tsx"
import { Modal } from "../shell/modal.tsx"
import type { PageState } from "../shell/page-state.ts"

/** What sets two sides apart: a sign, and words where the sign says too little. */
const STATES: Readonly<Record<FieldPair["state"], readonly [sign: string, words: string]>> = {
  same: ["=", ""],
  changed: ["≠", ""],
  left: ["−", " only here"],
  right: ["+", " only there"],
}

/** Characters of a text that is read at every key. */
const MOST_TEXT = 300_000

const differ = (count: number): string => (count === 1 ? "1 field differs" : `${count} fields differ`)

const placesOf = (ranges: readonly { readonly from: number; readonly to: number }[]): string => {
  const places = ranges.map(({ from, to }) => (to - from === 1 ? `${from}` : `${from}–${to - 1}`))
  const isOne = ranges.length === 1 && ranges[0].to - ranges[0].from === 1
  return `${isOne ? "octet" : "octets"} ${places.join(", ")}`
}

/** The packet that is looked at beside another: as it was before the edits, another one of the list, or a pasted one. */
export const CompareDialog = ({ page }: { readonly page: PageState }) => {
  const { bench } = page
  const { opened } = bench.work.value
  const here = bench.packetIndex.value
  const original = opened.packets[here]?.bytes ?? new Uint8Array(0)
  const isEdited = original !== bench.packet.value.bytes
  // What is at hand to compare with: the original of an edited packet, or its neighbour.
  const first = isEdited ? original : (opened.packets[here === 0 ? 1 : here - 1]?.bytes ?? original)
  const text = useSignal(toHex(first, { spaced: true }))
  const isAll = useSignal(false)
  const [other] = text.value.length > MOST_TEXT ? [] : open(text.value).packets
  const comparison =
    other === undefined ? undefined : compare(bench.packet.value.bytes, other.bytes, portsOf(bench.packet.value))
  const pairs = comparison?.fields.filter(({ state }) => isAll.value || state !== "same") ?? []
  return (
    <Modal
      title="Compare"
      wide
      onClose={() => {
        page.dialog.value = undefined
      }}
    >
      <label class="stacked">
        {isEdited
          ? "Compared with the packet before it was edited; or paste another:"
          : "The other packet, in any form:"}
        <textarea
          rows={4}
          spellcheck={false}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value
          }}
        />
      </label>
      {comparison === undefined ? (
        <p class="fault">There is no packet in this text.</p>
      ) : (
        <>
          <p>
            {comparison.same
              ? "Both have the same octets."
              : `${differ(comparison.fields.filter(({ state }) => state !== "same").length)}; ${placesOf(comparison.octets)}.`}
          </p>
          <Check on={isAll}>equal fields too</Check>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
          <div class="scroll" tabIndex={0} role="region" aria-label="Differences">
            <table>
              <thead>
                <tr>
                  <th scope="col">field</th>
                  <th scope="col">this packet</th>
                  <th scope="col">
                    <span class="hidden">differs</span>
                  </th>
                  <th scope="col">the other</th>
                </tr>
              </thead>
              <tbody>
                {pairs.map((pair) => (
                  <tr
                    key={`${pair.path} ${pair.left?.field ?? ""} ${pair.right?.field ?? ""}`}
                    data-state={pair.state}
                    data-class={pair.class}
                  >
                    <th scope="row">
                      <span class="swatch" aria-hidden="true" /> {pair.path}
                    </th>
                    <td>{pair.left?.text ?? ""}</td>
                    <td>
                      {STATES[pair.state][0]}
                      <span class="words">{STATES[pair.state][1]}</span>
                    </td>
                    <td>{pair.right?.text ?? ""}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </Modal>
  )
}
