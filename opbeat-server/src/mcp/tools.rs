//! The tools: the operations of the API, as its description has them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use form_urlencoded::Serializer;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

/// The parameter that the token determines.
const ORGANIZATION: &str = "organization";

/// The depth to which references in a schema are followed.
const MAX_DEPTH: usize = 8;

/// All tools.
#[derive(Debug)]
pub(super) struct Tools(Vec<Operation>);

#[derive(Debug)]
struct Operation {
    tool: Tool,
    method: Method,
    /// With parameters such as `{app}`.
    path: String,
    /// The fields of the request's body.
    body: Vec<String>,
}

impl Tools {
    /// Makes a tool of each operation.
    pub(super) fn of(description: &OpenApi) -> Self {
        let description = serde_json::to_value(description).unwrap_or_default();
        let paths = description["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, operations)| {
            let operations = operations.as_object().into_iter().flatten();
            operations.filter_map(|(method, operation)| Operation::of(&description, path, method, operation))
        });
        Self(operations.collect())
    }

    /// Returns the tools that a token may call.
    pub(super) fn list(&self, may_write: bool) -> Vec<Tool> {
        let allowed = self.0.iter().filter(|operation| may_write || operation.method == Method::GET);
        allowed.map(|operation| operation.tool.clone()).collect()
    }

    /// Makes the request to the API of a call, without a token.
    ///
    /// # Errors
    ///
    /// Returns the reason for the assistant if there is no such tool, or an argument is missing or unknown.
    pub(super) fn request(
        &self,
        tool: &str,
        organization: &str,
        arguments: &JsonObject,
    ) -> Result<Request<Body>, String> {
        let operation = self.0.iter().find(|operation| operation.tool.name == tool);
        operation.ok_or_else(|| format!("There is no tool {tool}."))?.request(organization, arguments)
    }
}

impl Operation {
    /// Makes the tool of an operation. An operation without a name is left out, and so are changes of channels: texts of errors
    /// could mislead an assistant to send data elsewhere.
    fn of(description: &Value, path: &str, method: &str, operation: &Value) -> Option<Self> {
        let name = operation["operationId"].as_str()?.to_owned();
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok()?;
        let reads = method == Method::GET;
        if !reads && operation["tags"][0] == "channels" {
            return None;
        }
        let (mut properties, mut required) = (JsonObject::new(), Vec::new());
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["name"] != ORGANIZATION) {
            let name = parameter["name"].as_str()?;
            let mut schema = resolved(description, &parameter["schema"], MAX_DEPTH);
            if let (Some(schema), Some(text)) = (schema.as_object_mut(), parameter.get("description")) {
                schema.insert("description".to_owned(), text.clone());
            }
            properties.insert(name.to_owned(), schema);
            if parameter["required"] == true {
                required.push(name.to_owned());
            }
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = resolved(description, body, MAX_DEPTH);
        let fields = body["properties"].as_object().cloned().unwrap_or_default();
        required.extend(body["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        let names = fields.keys().cloned().collect();
        properties.extend(fields);
        let schema = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        });
        let text = [&operation["summary"], &operation["description"]];
        let text = text.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        let annotations =
            ToolAnnotations::new().read_only(reads).destructive(false).idempotent(reads).open_world(false);
        let tool = Tool::new(name, text, Arc::new(schema.as_object()?.clone())).with_annotations(annotations);
        Some(Self { tool, method, path: path.to_owned(), body: names })
    }

    fn request(&self, organization: &str, arguments: &JsonObject) -> Result<Request<Body>, String> {
        let tool = &self.tool.name;
        let known = self.tool.input_schema.get("properties").and_then(Value::as_object);
        if let Some(unknown) = arguments.keys().find(|name| known.is_none_or(|known| !known.contains_key(*name))) {
            let known = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!("{tool} has no argument {unknown}. It has: {known}."));
        }
        let required = self.tool.input_schema.get("required").and_then(Value::as_array).into_iter().flatten();
        if let Some(missing) =
            required.filter_map(Value::as_str).find(|name| arguments.get(*name).is_none_or(Value::is_null))
        {
            return Err(format!("{tool} needs the argument {missing}."));
        }
        let mut path = self.path.replace("{organization}", &segment(organization));
        let (mut query, mut body) = (Serializer::new(String::new()), JsonObject::new());
        for (name, value) in arguments.iter().filter(|(_, value)| !value.is_null()) {
            let place = format!("{{{name}}}");
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if self.path.contains(&place) {
                path = path.replace(&place, &segment(&text));
            } else if self.body.contains(name) {
                body.insert(name.clone(), value.clone());
            } else {
                query.append_pair(name, &text);
            }
        }
        let request = Request::builder().method(self.method.clone()).uri(format!("{path}?{}", query.finish()));
        let request = if self.body.is_empty() {
            request.body(Body::empty())
        } else {
            let body = Value::Object(body).to_string();
            request.header(CONTENT_TYPE, "application/json").body(Body::from(body))
        };
        request.map_err(|error| format!("The arguments of {tool} make no valid address: {error}."))
    }
}

/// Returns a text as one segment of a path.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Returns a schema with its references resolved, to a depth.
fn resolved(description: &Value, schema: &Value, depth: usize) -> Value {
    let inner = |schema: &Value| match depth.checked_sub(1) {
        Some(depth) => resolved(description, schema, depth),
        None => json!({}),
    };
    match schema {
        Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
            Some(reference) => inner(description.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null)),
            None => Value::Object(fields.iter().map(|(name, field)| (name.clone(), inner(field))).collect()),
        },
        Value::Array(items) => Value::Array(items.iter().map(inner).collect()),
        other => other.clone(),
    }
}
