"""Evidence: scores, reference values, tables, figures and the HTML report; arrays in, evidence out."""
