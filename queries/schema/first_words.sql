-- What does a text begin with, for a list? Of messages, the last one's words say what was asked.
CREATE OR REPLACE TEMP MACRO first_words(words, is_json) AS substr(
  CASE
    WHEN is_json THEN coalesce(
      json_extract_string(words, '$[#-1].content[0].text'),
      json_extract_string(words, '$[#-1].content'),
      json_extract_string(words, '$.content[0].text'),
      json_extract_string(words, '$.content'),
      words
    )
    ELSE words
  END,
  1,
  200
)
