//! A secret written into the file by mistake is named, and shown nowhere.

use crate::config::parse;

const CANARY: &str = "hunter2hunter2";

#[test]
fn an_inline_secret_is_named_and_never_shown() {
    let texts = [
        "version = 1\n[admin]\naddress = '127.0.0.1:1'\ntoken = 'CANARY'\n",
        "version = 1\n[admin]\naddress = '127.0.0.1:1'\ntoken = { file = 'x', value = 'CANARY' }\n",
        "version = 1\n[admin]\naddress = '127.0.0.1:1'\ntoken = ['CANARY']\n",
        "version = 1\n[admin]\naddress = '127.0.0.1:1'\n[admin.token]\nvalue = 'CANARY'\n",
        "version = 1\n[jwt.idp]\nissuer = 'https://idp'\nclient_secret = 'CANARY'\n",
        "version = 1\n[service.login]\nendpoints = []\npassword = \"\"\"\nCANARY\n\"\"\"\n",
        "version = 1\n[identity]\ncert = 'a'\nkey = '''\n-----BEGIN PRIVATE KEY-----\nCANARY'''\n",
    ];
    for text in texts {
        let problems = parse(&text.replace("CANARY", CANARY), "mesh.toml").unwrap_err();
        assert!(problems.iter().any(|it| it.code.text() == "AM-C030"), "{text}\n{problems}");
        for shown in [problems.to_string(), format!("{problems:?}"), problems.to_json().to_string()]
        {
            assert!(!shown.contains("hunter2"), "{text}\n{shown}");
        }
    }
}

#[test]
fn a_secret_in_a_text_that_is_not_toml_is_not_shown_either() {
    for text in [
        "token = 'CANARY\n",
        "token = CANARY\n",
        "token = \"\\qCANARY\"\n",
        "token = 'CANARY' x\n",
        "a = { token = 'CANARY\n",
        "token = \"\"\"\nCANARY\n\\q",
        "token = 'CANARY'\ntoken = 'CANARY'\n",
        "[admin]\ntoken = { value = 'CANARY', value = 'CANARY' }",
    ] {
        let problems = parse(&text.replace("CANARY", CANARY), "mesh.toml").unwrap_err();
        for shown in [problems.to_string(), format!("{problems:?}"), problems.to_json().to_string()]
        {
            assert!(!shown.contains("hunter2"), "{text}\n{shown}");
        }
    }
}

#[test]
fn a_report_shows_the_place_the_reason_and_the_remedy() {
    let text = "version = 1\n[admin]\naddress = '127.0.0.1:1'\ntoken = 'hunter2hunter2'\n";
    let report = parse(text, "mesh.toml").unwrap_err().to_string();
    let wanted = "\
error[AM-C030]: a secret must not stand in the file
 --> mesh.toml:4:9
  |
4 | token = ••••••••••••••••
  |         ^^^^^^^^^^^^^^^^
  = note: files are copied, shown and kept; a secret in one has to be replaced
  = help: { file = \"/run/secrets/NAME\" }, { env = \"NAME\" } or { credential = \"NAME\" }

1 error";
    assert_eq!(report, wanted);
}

#[test]
fn the_form_for_programs_has_every_part() {
    let text = "version = 1\n[metrics]\naddress = '127.0.0.1:1'\n[admin]\n\
                address = '127.0.0.1:1'\ntoken = { env = 'T' }\n";
    let wanted = serde_json::json!([{
        "code": "AM-C021",
        "severity": "error",
        "file": "mesh.toml",
        "line": 5,
        "column": 11,
        "sentence": "`127.0.0.1:1` is already used by `[metrics]`",
        "note": null,
        "help": null,
        "again": [{ "file": "mesh.toml", "line": 3, "column": 11, "what": "first used here" }],
    }]);
    assert_eq!(parse(text, "mesh.toml").unwrap_err().to_json(), wanted);
}

#[test]
fn a_report_of_a_long_line_is_short_and_harmless() {
    let text = format!("version = 1\n{}\u{7}\t\u{1b}[31m§ = 1\n", "a".repeat(100_000));
    let report = parse(&text, "mesh.toml").unwrap_err().to_string();
    assert!(report.len() < 4_000, "{report}");
    assert!(!report.contains('\u{1b}') && !report.contains('\u{7}'), "{report:?}");
}
