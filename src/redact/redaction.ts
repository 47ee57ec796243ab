// The redactor of each project, made anew when its settings change.
import { Redactor, type RedactorOptions } from "./redactor.ts";
import { compileSettings, defaultSettings, type Mode, settingsSchema } from "./settings.ts";

/** Name of the setting of a project. */
export const redactionSetting = "redaction";

export interface RedactionOptions extends Omit<RedactorOptions, "onSlow"> {
  /** For projects without settings of their own. */
  mode: Mode;
  /** The setting of a project; the same object until it is set anew. */
  settingOf(project_id: string): unknown;
  onSlowPattern(project_id: string, name: string): void;
  /** Told once when stored settings cannot be read, and everything is masked instead. */
  onUnreadable(project_id: string, reason: string): void;
}

export class Redaction {
  #made = new Map<string, { setting: unknown; redactor: Redactor | null }>();

  constructor(readonly options: RedactionOptions) {}

  /** Null when nothing is to be done. */
  of(project_id: string): Redactor | null {
    const setting = this.options.settingOf(project_id);
    const known = this.#made.get(project_id);
    if (known !== undefined && known.setting === setting) return known.redactor;
    const redactor = this.#make(project_id, setting);
    this.#made.set(project_id, { setting, redactor });
    return redactor;
  }

  #make(project_id: string, setting: unknown): Redactor | null {
    const options: RedactorOptions = {
      ...this.options,
      onSlow: (name) => this.options.onSlowPattern(project_id, name),
    };
    const settings = setting === null
      ? { success: true as const, data: defaultSettings(this.options.mode) }
      : settingsSchema.safeParse(setting);
    const compiled = settings.success
      ? compileSettings(settings.data)
      : { refused: { field: "settings", message: settings.error.message } };
    if (!("refused" in compiled)) {
      const { mode, bannedTerms, promptInjection } = compiled;
      const idle = mode === "off" && bannedTerms.length === 0 && !promptInjection;
      return idle ? null : new Redactor(compiled, options);
    }
    this.options.onUnreadable(project_id, compiled.refused.message);
    const everything = compileSettings(defaultSettings("mask"));
    if ("refused" in everything) throw new Error(everything.refused.message);
    return new Redactor(everything, options);
  }
}
