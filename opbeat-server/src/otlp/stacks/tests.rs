//! Stack traces as the runtimes print them.

use opbeat_protocol::Frame;

use super::*;

/// Returns file, line, function and whether a frame is the application's.
fn shown(stack: &Stack) -> Vec<(&str, u32, &str, bool)> {
    let shown = |frame| {
        let Frame { filename, lineno, function, in_app, .. }: &Frame = frame;
        (filename.as_str(), *lineno, function.as_deref().unwrap_or_default(), in_app.unwrap_or(true))
    };
    stack.frames.iter().map(shown).collect()
}

#[test]
fn python_prints_the_newest_call_last() {
    let text = r#"Traceback (most recent call last):
  File "/app/shop/db.py", line 3, in connect
    raise OSError("refused")
OSError: refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/flask/app.py", line 1823, in full_dispatch_request
    rv = self.dispatch_request()
         ^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/shop/cart.py", line 12, in buy
    raise CartError("no books") from error
shop.cart.CartError: no books
"#;
    let stack = parse(text, Some(Language::Python));
    let expected = [("flask/app.py", 1_823, "full_dispatch_request", false), ("cart.py", 12, "buy", true)];
    assert_eq!(shown(&stack), expected);
    assert_eq!(stack.frames[0].context_line.as_deref(), Some("rv = self.dispatch_request()"));
    assert_eq!(stack.frames[0].module.as_deref(), Some("flask.app"));
    assert_eq!((stack.causes[0].type_name.as_str(), stack.causes[0].value.as_str()), ("OSError", "refused"));
}

#[test]
fn node_prints_the_newest_call_first() {
    let text = "TypeError: x is not a function
    at Cart.buy (/app/src/cart.js:12:9)
    at Layer.handle [as handle_request] (/app/node_modules/express/lib/router/layer.js:95:5)
    at async /app/src/index.js:3:1
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  [cause]: Error: connect ECONNREFUSED
      at connect (node:net:1:1)
}";
    let stack = parse(text, Some(Language::Node));
    let expected = [
        ("node:internal/process/task_queues", 95, "process.processTicksAndRejections", false),
        ("index.js", 3, "", true),
        ("express/lib/router/layer.js", 95, "Layer.handle [as handle_request]", false),
        ("cart.js", 12, "Cart.buy", true),
    ];
    assert_eq!(shown(&stack), expected);
    assert_eq!(stack.causes[0].value, "connect ECONNREFUSED");
}

#[test]
fn java_prints_causes_after_the_exception() {
    let text = "java.lang.IllegalStateException: no books
\tat com.acme.shop.Cart.buy(Cart.java:12)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.sql.SQLException: refused
\tat com.acme.shop.Db.connect(Db.java:3)
\t... 2 more";
    let stack = parse(text, None);
    assert_eq!(shown(&stack), [("Thread.java", 840, "run", false), ("Cart.java", 12, "buy", true)]);
    assert_eq!(stack.frames[1].module.as_deref(), Some("com.acme.shop.Cart"));
    assert_eq!(
        (stack.causes[0].type_name.as_str(), stack.causes[0].module.as_deref()),
        ("SQLException", Some("java.sql"))
    );
}

#[test]
fn go_prints_two_lines_for_each_call() {
    let text = "goroutine 7 [running]:
go.opentelemetry.io/otel/sdk/trace.recordStackTrace()
\t/home/a/go/pkg/mod/go.opentelemetry.io/otel/sdk@v1.30.0/trace/span.go:500 +0x2a
acme.com/shop/cart.(*Cart).Buy(0xc000010000, {0x1, 0x2})
\t/app/cart/cart.go:12 +0x1d
main.main()
\t/app/main.go:5 +0x20
created by net/http.(*Server).Serve in goroutine 1
\t/usr/local/go/src/net/http/server.go:3285 +0x4b4
";
    let stack = parse(text, Some(Language::Go));
    let expected = [
        ("server.go", 3_285, "(*Server).Serve", false),
        ("main.go", 5, "main", true),
        ("cart.go", 12, "(*Cart).Buy", true),
        ("span.go", 500, "recordStackTrace", false),
    ];
    assert_eq!(shown(&stack), expected);
    assert_eq!(stack.frames[2].module.as_deref(), Some("acme.com/shop/cart"));
}

#[test]
fn rust_prints_locations_below_functions() {
    let text = "   0: std::backtrace::Backtrace::create
             at /rustc/abc/library/std/src/backtrace.rs:331:13
   1: shop::cart::buy
             at ./src/cart.rs:12:5
   2: main";
    let stack = parse(text, None);
    let expected = [
        ("", 0, "main", false),
        ("src/cart.rs", 12, "shop::cart::buy", true),
        ("std/src/backtrace.rs", 331, "std::backtrace::Backtrace::create", false),
    ];
    assert_eq!(shown(&stack), expected);
}

#[test]
fn other_texts_have_no_frames() {
    for text in ["", "at", "File \"", "goroutine 1", "something failed\n  somewhere", "at (:)", "at ()", "\t:1\n\t:1"] {
        assert!(parse(text, None).frames.is_empty(), "{text}");
    }
}
