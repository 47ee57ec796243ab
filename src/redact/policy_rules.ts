// What texts say that try to turn a model against its instructions: our own list, by what they are
// after, in the languages that the page's users write. Anchors are the cheap look; the pattern decides.

export type PolicyCategory =
  | "instruction_override"
  | "prompt_extraction"
  | "role_change"
  | "false_authority"
  | "concealment"
  | "data_exfiltration"
  | "hidden_text";

export type Severity = "low" | "medium" | "high" | "critical";

export interface PolicyRule {
  category: PolicyCategory;
  language: string;
  severity: Severity;
  /** Lower case; one of them stands in every text that the pattern matches. */
  anchors: readonly string[];
  /** On text in lower case, in single spaces, without invisible characters. */
  pattern: RegExp;
}

const gap = "[^.!?\\n]{0,40}";
const re = (source: string) => new RegExp(source, "u");

function rule(
  category: PolicyCategory,
  language: string,
  severity: Severity,
  anchors: readonly string[],
  source: string,
): PolicyRule {
  return { category, language, severity, anchors, pattern: re(source) };
}

// deno-fmt-ignore
export const policyRules: readonly PolicyRule[] = [
  rule("instruction_override", "en", "high",
    ["ignore", "disregard", "forget", "override", "bypass", "overrule", "set aside"],
    `\\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|overrule|set aside)\\b${gap}\\b(?:previous|prior|earlier|above|preceding|system|original|initial|your|all|any|these|those)\\b${gap}\\b(?:instructions?|prompts?|rules|directives?|guidelines|guardrails|constraints|restrictions|programming|training|orders)\\b`),
  rule("instruction_override", "en", "medium", ["new instructions", "real instructions", "actual instructions", "updated instructions"],
    `\\b(?:here are|these are|follow|your|my)\\b[^.!?\\n]{0,20}\\b(?:new|real|actual|updated) instructions\\b`),
  rule("instruction_override", "de", "high", ["ignorier", "vergiss", "missacht", "vergessen sie", "umgeh"],
    `(?:ignorier|vergiss|vergessen sie|missacht|umgeh)${gap}(?:vorherig|bisherig|obig|vorangehend|frühere|alle|deine|ihre|system)${gap}(?:anweisung|regel|vorgab|instruktion|befehl|prompt|richtlinie)`),
  rule("instruction_override", "fr", "high", ["ignor", "oubli", "contourn"],
    `(?:ignore[rz]?|oublie[rz]?|contourne[rz]?)\\b${gap}(?:précédent|antérieur|ci-dessus|toutes|tes|vos|système|initial)${gap}(?:instruction|consigne|règle|directive|ordre)|(?:ignore[rz]?|oublie[rz]?)\\b${gap}(?:instruction|consigne|directive)s? (?:précédent|antérieur|ci-dessus)`),
  rule("instruction_override", "es", "high", ["ignor", "olvid", "omit", "haz caso omiso"],
    `(?:ignor[ae]|ignorar|olvid[ae]|olvidar|omite|haz caso omiso de)\\b${gap}(?:instrucciones|reglas|órdenes|indicaciones|directrices)${gap}(?:anteriores|previas|sistema|arriba|iniciales)|(?:ignor[ae]|olvid[ae])\\b${gap}(?:todas|tus)${gap}(?:instrucciones|reglas)`),
  rule("instruction_override", "it", "high", ["ignor", "dimentic", "trascur"],
    `(?:ignora(?:re|te)?|dimentica(?:re|te)?|trascura)\\b${gap}(?:istruzioni|regole|direttive|ordini)${gap}(?:precedenti|di prima|sistema|iniziali|sopra)|(?:ignora|dimentica)\\b${gap}(?:tutte|tue)${gap}(?:istruzioni|regole)`),
  rule("instruction_override", "pt", "high", ["ignor", "esque", "desconsider"],
    `(?:ignore|ignora|ignorar|esqueça|esquece|desconsidere)\\b${gap}(?:instruções|regras|ordens|diretrizes)${gap}(?:anteriores|prévias|sistema|acima|iniciais)|(?:ignore|esqueça|desconsidere)\\b${gap}(?:todas|suas)${gap}(?:instruções|regras)`),
  rule("instruction_override", "nl", "high", ["negeer", "vergeet"],
    `(?:negeer|vergeet)\\b${gap}(?:vorige|eerdere|bovenstaande|alle|je|jouw)${gap}(?:instructies|regels|opdrachten)`),
  rule("instruction_override", "pl", "high", ["zignoruj", "ignoruj", "zapomnij"],
    `(?:zignoruj|ignoruj|zapomnij)${gap}(?:poprzedni|wcześniejsz|wszystki|swoj|powyższ)${gap}(?:instrukcj|polece|zasad|reguł)`),
  rule("instruction_override", "ru", "high", ["игнорир", "забудь", "не обращай внимания"],
    `(?:игнорир|забудь|не обращай внимания)${gap}(?:предыдущ|прежн|все|свои|систем|вышеуказ)${gap}(?:инструкц|правил|указани|команд)`),
  rule("instruction_override", "tr", "high", ["yok say", "unut", "görmezden gel"],
    `(?:önceki|yukarıdaki|tüm|bütün)${gap}(?:talimat|kural|yönerge)${gap}(?:yok say|unut|görmezden gel)`),
  rule("instruction_override", "zh", "high", ["忽略", "无视", "忘记", "忽視", "無視", "忘掉"],
    `(?:忽略|无视|忘记|忽視|無視|忘掉).{0,12}(?:之前|以上|先前|上面|前面|所有|系统|系統|你的).{0,12}(?:指令|指示|提示|规则|規則|命令|要求)`),
  rule("instruction_override", "ja", "high", ["無視", "忘れて"],
    `(?:以前|前|上記|これまで|すべて|全て|システム).{0,12}(?:指示|命令|ルール|プロンプト|指令).{0,8}(?:無視|忘れて)`),
  rule("instruction_override", "ko", "high", ["무시", "잊어"],
    `(?:이전|위의|모든|앞의|시스템).{0,12}(?:지시|명령|규칙|프롬프트|지침).{0,10}(?:무시|잊어)`),
  rule("instruction_override", "hi", "high", ["अनदेखा", "भूल जाओ", "नज़रअंदाज़"],
    `(?:पिछले|पहले|सभी|ऊपर).{0,20}(?:निर्देश|नियम|आदेश).{0,20}(?:अनदेखा|भूल जाओ|नज़रअंदाज़)`),

  rule("prompt_extraction", "en", "medium", ["prompt", "instructions"],
    `\\b(?:reveal|show|print|repeat|output|display|leak|recite|tell me|give me|write out|translate)\\b${gap}\\b(?:your|the|its)\\b[^.!?\\n]{0,20}\\b(?:(?:system|initial|hidden|original|secret) (?:prompt|instructions|message)|instructions verbatim)`),
  rule("prompt_extraction", "en", "medium", ["repeat", "print", "output"],
    `\\b(?:repeat|print|output)\\b[^.!?\\n]{0,30}\\b(?:everything|all(?: the)?(?: text| words)?|the words|the text) above\\b`),
  rule("prompt_extraction", "de", "medium", ["systemprompt", "system-prompt", "systemanweisung", "system prompt"],
    `(?:zeig|nenn|gib|wiederhol|verrat|druck)${gap}(?:system-?\\s?prompt|systemanweisung)`),
  rule("prompt_extraction", "fr", "medium", ["prompt système", "instructions système", "invite système"],
    `(?:montre|affiche|révèle|répète|donne|écris)${gap}(?:prompt|instructions|invite) système`),
  rule("prompt_extraction", "es", "medium", ["prompt del sistema", "instrucciones del sistema", "prompt de sistema"],
    `(?:muestra|revela|repite|dime|imprime|escribe)${gap}(?:prompt|instrucciones) del? sistema`),
  rule("prompt_extraction", "zh", "medium", ["系统提示", "系統提示", "系统指令"],
    `(?:显示|告诉|输出|泄露|重复|打印|顯示|輸出).{0,12}(?:系统提示|系統提示|系统指令)`),

  rule("role_change", "en", "high", ["jailbr", "dan mode", "do anything now", "developer mode", "unrestricted", "god mode", "no restrictions", "without restrictions", "no rules"],
    `\\b(?:you are now|act as|pretend (?:to be|you are)|enter|enable|activate|switch to|become|simulate)\\b${gap}(?:\\bdan\\b|do anything now|developer mode|god mode|jailbr\\w+|unrestricted|no (?:restrictions|rules|limits|filters)|without (?:restrictions|rules|limits|filters))`),
  rule("role_change", "en", "medium", ["no longer bound", "not bound by", "free from all"],
    `\\b(?:you are|you're)\\b${gap}(?:no longer bound|not bound by|free from all)\\b`),
  rule("role_change", "de", "medium", ["ohne einschränkung", "keine regeln", "entwicklermodus"],
    `(?:du bist (?:jetzt|nun)|tu so|aktivier|spiel)${gap}(?:ohne einschränkung|keine regeln|entwicklermodus)`),

  rule("false_authority", "template", "high", ["<|im_start|>", "<|start_header_id|>", "<|system|>", "<<sys>>", "[system]", "<start_of_turn>"],
    `<\\|im_start\\|> ?(?:system|developer)|<\\|start_header_id\\|> ?system|<\\|system\\|>|<<sys>>|\\[system\\](?:\\(#|:| *you)|<start_of_turn> ?system`),
  rule("false_authority", "en", "medium", ["system:", "system override", "admin override", "authorized by", "system notice", "system message"],
    `(?:^|\\n|#{2,} ?|\\*\\*)(?:system|admin(?:istrator)?|developer) ?(?:override|notice|message|alert|command)? ?(?:\\*\\*)?: ?${gap}\\b(?:ignore|you must|you are now|override|disregard|from now on|instructions?)\\b`),

  rule("concealment", "en", "high", ["tell the user", "inform the user", "mention this", "notify the user", "let the user", "alert the user"],
    `\\b(?:do not|don't|never|without|must not)\\b[^.!?\\n]{0,15}\\b(?:tell(?:ing)?|inform(?:ing)?|notify(?:ing)?|mention(?:ing)?|let(?:ting)?|alert(?:ing)?)\\b (?:the user|this)\\b${gap}\\b(?:send|forward|call|email|upload|delete|execute|run|transfer|instructions?|message|know|to)\\b`),
  rule("concealment", "en", "medium", ["hidden instruction", "secret instruction", "if you are an ai", "if you are a language model", "attention ai", "note to ai", "ai assistants:"],
    `\\bhidden instructions?\\b|\\bsecret instructions?\\b|\\bif you are (?:an ai|a language model|an llm)\\b${gap}\\b(?:ignore|you must|please|recommend|output|say|respond|include)\\b|(?:attention|note to) (?:all )?(?:ai|llm)s?\\b${gap}\\b(?:ignore|must|please|recommend|instructions?)\\b`),

  rule("data_exfiltration", "en", "critical", ["send", "forward", "upload", "post", "exfiltrat", "transmit"],
    `\\b(?:send|forward|upload|post|exfiltrate|transmit|email)\\b${gap}\\b(?:conversation|chat history|api keys?|passwords?|credentials|secrets|tokens|system prompt|personal data|private data|contents of)\\b${gap}\\b(?:to|at)\\b [^.!?\\n]{0,10}(?:https?:|www\\.|[\\w.-]+@|\\[email_address)`),
  rule("data_exfiltration", "markdown", "high", ["](http"],
    `!\\[[^\\]\\n]{0,100}\\]\\(https?:\\/\\/[^)\\s]{1,200}\\?[^)\\s=]{1,40}=(?:\\{|%7b|\\[|<|\\$|data|secret|prompt|history|conversation)`),
];

export const hiddenText: Pick<PolicyRule, "category" | "language" | "severity"> = {
  category: "hidden_text",
  language: "unicode",
  severity: "high",
};
