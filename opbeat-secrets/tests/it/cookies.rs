//! Cookies: the name is shown, most values are removed.

use opbeat_secrets::Secrets;

#[test]
fn cookies_keep_names_and_shared_choices() {
    let header = "theme=dark; JSESSIONID=abc; x=7; lang=0123456789abcdef; iban_lang=DE1; hunter2";
    let shown = "theme=dark; JSESSIONID=[REDACTED]; x=[REDACTED]; lang=[REDACTED]; iban_lang=[REDACTED]; [REDACTED]";
    assert_eq!(Secrets::new(["iban*"]).cookies(header), shown);
}
