SwaggerUIBundle({
  dom_id: "#reference",
  url: "openapi.json",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null,
});
