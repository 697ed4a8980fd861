//! opbeatcli 2.0.2.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::program::old_python;
use crate::sent::{list, text};
use crate::shop::EmptyShop;

#[tokio::test(flavor = "multi_thread")]
async fn each_module_of_a_deployment_is_listed() {
    let shop = EmptyShop::start().await.after(old_python("opbeatcli", "deploy.py")).await;
    shop.recorder.assert_all_accepted();
    let exchanges = shop.recorder.exchanges();
    assert_eq!(exchanges[0].header("user-agent"), "opbeatcli/2.0.2");
    let sent = &shop.recorder.bodies("deployments")[0];
    let account = &shop.account["deployments"][0];
    let machine = account["machine"].as_str().unwrap();
    assert_eq!(sent["machines"], serde_json::json!([{"hostname": machine}]));
    let modules = list(&account["packages"]);
    assert_eq!(by_name(list(&sent["releases"]).iter().map(flat)), by_name(modules.iter().cloned()));

    let answer = shop.opbeat.ask("deployments/").await;
    assert_eq!(answer["total"], 1);
    assert_eq!(answer["deployments"][0]["machine"], machine);
    let shown = shop.opbeat.ask(&format!("deployments/{machine}/")).await;
    let (components, packages) = (list(&shown["components"]), list(&shown["package_list"]));
    assert!(components.iter().all(|module| module["type"] == "repository"), "{components:#?}");
    let all = components.iter().chain(packages).map(without_nulls);
    assert_eq!(by_name(all), by_name(modules.iter().cloned()));
    assert_eq!(shown["component_count"], components.len());
    assert_eq!(shown["packages"], packages.len());
}

/// Returns modules by their type and name, each of which is unique.
fn by_name(modules: impl Iterator<Item = Value>) -> BTreeMap<(String, String), Value> {
    let mut found = BTreeMap::new();
    for module in modules {
        let previous = found.insert((text(&module["type"]), text(&module["name"])), module);
        assert_eq!(previous, None, "each module is listed once");
    }
    found
}

/// Returns a module of a body in the form of the API: the name and the type are not below `module`.
fn flat(sent: &Value) -> Value {
    let mut module = sent["module"].as_object().unwrap().clone();
    let others = sent.as_object().unwrap().iter().filter(|(key, _)| *key != "module");
    module.extend(others.map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(module)
}

fn without_nulls(value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let kept = members.iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect::<Map<_, _>>())
}
